-- relation: vault.raw.keyring
-- what: Every row of the vault belongs to a person of the keyring. Everyone who is erased in the ledger has a tombstone.
-- example: A saved track of participant 17, whose keys were deleted by a withdrawal.
-- why: A withdrawal deletes rows and keys in one transaction. A row without keys was left behind, or has come back from a backup.
-- remedy: Run 'consonance doctor'. If it finds no interrupted or forgotten withdrawal, restore the vault from a backup; the withdrawals are then repeated.
with owners as (
    select 'extended_plays' as place, participant_no from vault.raw.extended_plays group by participant_no
    union all
    select 'account_plays', participant_no from vault.raw.account_plays group by participant_no
    union all
    select 'rejected_rows', participant_no from vault.raw.rejected_rows group by participant_no
    union all
    select 'members', participant_no from vault.raw.members group by participant_no
    union all
    select 'donations', participant_no from vault.raw.donations group by participant_no
    union all
    select 'donation_members', participant_no from vault.raw.donation_members group by participant_no
    union all
    select 'broken_members', participant_no from vault.raw.broken_members group by participant_no
    union all
    select 'schema_drift', participant_no from vault.raw.schema_drift group by participant_no
    union all
    select 'library_items', participant_no from vault.raw.library_items group by participant_no
    union all
    select 'erased_rows', participant_no from vault.raw.erased_rows group by participant_no
    union all
    select 'release_keyring', participant_no from vault.raw.release_keyring group by participant_no
)
select place
from owners
anti join vault.raw.keyring using (participant_no)
union all
select 'consent_events'
from vault.raw.consent_events
where
    starts_with(participant_code, 'erased-')
    and substring(participant_code, 8) not in (select token from vault.raw.tombstones)
