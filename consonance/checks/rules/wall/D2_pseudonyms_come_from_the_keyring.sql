-- relation: persons
-- what: Every participant_id right of the wall is a pseudonym of the keyring.
-- example: A participant_id that is the MD5 of "P001"; a row without a participant_id.
-- why: Last.fm-360K hashed e-mail addresses. The hashes were reversed by hashing a list of addresses (D2).
-- remedy: Make the column with functions/participant_pseudonym.sql in the file named first.
select distinct persons.place, persons.participant_id, 'is no pseudonym of the keyring' as detail
from {persons} as persons
where persons.participant_id not in (select pseudonym from vault.raw.keyring)
