-- relation: ids
-- what: No id of a participant, play, session, report or private track of the release is in the warehouse, the keyring or an earlier release. No text is a pseudonym of one of them.
-- example: The same play_id in releases 3 and 4.
-- why: Two releases with common ids can be joined. What is known about a person in one is then known in the other (D2).
-- remedy: Publish again. If the rule still fails, look at consonance/release/making.py.
with elsewhere as materialized (
    select text_id, number_id from {ids_elsewhere} as ids_elsewhere
),
taken_names as (
    select pseudonym as name from vault.raw.keyring
    union
    select release_keyring.pseudonym
    from vault.raw.release_keyring
    inner join vault.raw.releases on releases.release_no = release_keyring.release_no
    where releases.published_at is not null
    union
    select text_id from elsewhere where text_id is not null
)
select ids.place
from {ids} as ids
where
    ids.text_id in (select name from taken_names)
    or ids.number_id in (select number_id from elsewhere where number_id is not null)
union all
select strings.place
from {strings} as strings
where strings.value in (select name from taken_names)
