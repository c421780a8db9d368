-- relation: vault.raw.keyring
-- what: Every pseudonym has 12 random symbols and is used once. Every shift is a number of weeks other than 0. Every secret has 128 bits.
-- example: Two participants with one pseudonym; a shift of 0 weeks; a pseudonym that is the participant code.
-- why: Hashed names were reversed by hashing lists of names (D2). One date that is not shifted reveals all others (D3).
-- remedy: Look at consonance/study/keyring.py, which draws them. A keyring that was written by hand: restore it from a backup of the vault.
select
    case
        when shift_weeks = 0 or abs(shift_weeks) > 260 then 'raw.keyring.shift_weeks'
        when not regexp_full_match(pseudonym, 'p[a-z2-9]{11}') or lower(pseudonym) = lower(participant_code) then 'raw.keyring.pseudonym'
        when pseudonym in (select pseudonym from vault.raw.keyring group by pseudonym having count(*) > 1) then 'raw.keyring.pseudonym'
        else 'raw.keyring.play_secret'
    end as place,
    participant_no
from vault.raw.keyring as keyring
where
    not regexp_full_match(pseudonym, 'p[a-z2-9]{11}')
    or pseudonym in (select pseudonym from vault.raw.keyring group by pseudonym having count(*) > 1)
    or lower(pseudonym) = lower(participant_code)
    or shift_weeks = 0
    or abs(shift_weeks) > 260
    or not regexp_full_match(play_secret, '[0-9a-f]{32}')
    or play_secret in (select play_secret from vault.raw.keyring group by play_secret having count(*) > 1)
