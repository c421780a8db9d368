"""The attacks that measure what pseudonyms, shifts and coarse groups leave open (rules D6 and D8)."""
