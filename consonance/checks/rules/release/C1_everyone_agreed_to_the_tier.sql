-- relation: persons
-- what: Everyone in the release is in the vault's release register for it, and grants the purpose of its tier in the ledger.
-- example: A participant who shares with named analysts only, in a public release.
-- why: To take part is one consent; to be passed on is another one (GDPR 7; ISO/IEC TS 27560).
-- remedy: Run 'consonance load', then publish again. If the rule still fails, look at consonance/release/making.py.
with candidate as (
    select release_no, 'sharing_' || tier as purpose from vault.raw.releases where published_at is null
),
members as (
    select keyring.participant_code, release_keyring.pseudonym, candidate.purpose
    from candidate
    inner join vault.raw.release_keyring on release_keyring.release_no = candidate.release_no
    inner join vault.raw.keyring on keyring.participant_no = release_keyring.participant_no
)
select 'raw.release_keyring' as place
from members
left join {what_the_ledger_grants} as granted on granted.participant_code = members.participant_code
where not coalesce(list_contains(granted.purposes, members.purpose), false)
union all
select persons.place
from {persons} as persons
where persons.participant_id not in (select pseudonym from members)
