-- relation: vault.raw.keyring
-- what: Every row of a table of the vault belongs to a participant of the study, by the owner column that consonance/study/stores.yml declares. Everyone who is erased in the ledger has a tombstone.
-- example: A saved track of participant 17, whose keys were deleted by a withdrawal.
-- why: A withdrawal deletes rows and keys in one transaction. A row without keys was left behind, or has come back from a backup.
-- remedy: Run 'consonance doctor'. If it finds no interrupted or forgotten withdrawal, restore the vault from a backup; the withdrawals are then repeated.
with codes as (
    select participant_code from vault.raw.keyring
    union
    select participant_code from vault.raw.participants
    union
    select participant_code from vault.raw.consent_events
)
{%- for table, (owner, kind) in owners.items() %}
select 'raw.{{ table }}.{{ owner }}' as place, 'belongs to nobody of the study' as detail
from vault.raw.{{ table }} as owned
where {{ owner }} not in (select {{ kind }} from {{ 'vault.raw.keyring' if kind == 'participant_no' else 'codes' }})
union all
{%- endfor %}
select 'raw.consent_events.participant_code', 'is erased and has no tombstone'
from vault.raw.consent_events
where
    starts_with(participant_code, 'erased-')
    and substring(participant_code, 8) not in (select token from vault.raw.tombstones)
