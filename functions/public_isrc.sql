case when regexp_full_match(isrc, '[A-Z]{2}[A-Z0-9]{3}[0-9]{7}') then isrc end
