-- relation: vault.raw.keyring
-- what: Every pseudonym is 12 random symbols of its own, every shift a non-zero number of weeks, every secret 128 bits.
-- example: Two participants with one pseudonym; a shift of 0 weeks; a pseudonym that is the code.
-- why: Hashed names were reversed by hashing lists of names (D2), and one day that is not shifted gives away the rest (D3).
-- remedy: Nobody writes the keyring by hand. Restore it from a backup.
select participant_no
from vault.raw.keyring as keyring
where
    not regexp_full_match(pseudonym, 'p[a-z2-9]{11}')
    or pseudonym in (select pseudonym from vault.raw.keyring group by pseudonym having count(*) > 1)
    or lower(pseudonym) = lower(participant_code)
    or shift_weeks = 0
    or abs(shift_weeks) > 260
    or not regexp_full_match(play_secret, '[0-9a-f]{32}')
    or play_secret in (select play_secret from vault.raw.keyring group by play_secret having count(*) > 1)
