-- relation: persons
-- what: Every participant_id right of the wall is a pseudonym of the keyring, and not a hash of a participant code.
-- example: A participant_id that is the MD5 of "P001".
-- why: Last.fm-360K hashed e-mail addresses. The hashes were reversed by hashing a list of addresses (D2).
-- remedy: Look at functions/participant_pseudonym.sql.
select persons.place
from {persons} as persons
where
    persons.participant_id <> 'no active consent'
    and (
        persons.participant_id not in (select pseudonym from vault.raw.keyring)
        or persons.participant_id in (select md5(participant_code) from vault.raw.participants)
        or persons.participant_id in (select sha256(participant_code) from vault.raw.participants)
        or persons.participant_id in (select left(md5(participant_code), 12) from vault.raw.participants)
    )
