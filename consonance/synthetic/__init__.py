"""A study of people who do not exist, with every vintage and quirk of real exports."""
