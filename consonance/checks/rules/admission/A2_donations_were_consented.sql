-- relation: vault.raw.donations
-- what: Each donor had consented to listening_history before the donation was loaded.
-- example: A zip was loaded for a participant whose only ledger line is dated a week later.
-- why: Without an active consent a donation is held and not read (C1).
-- remedy: Erase the donation, and look at loaders/donations.py and loaders/load.py, which hold donations without consent.
select 'raw.donations.loaded_at' as place, donations.donation_id
from vault.raw.donations as donations
inner join vault.raw.keyring on keyring.participant_no = donations.participant_no
where not exists (
    select 1
    from vault.raw.consent_events
    where
        consent_events.participant_code = keyring.participant_code
        and consent_events.event <> 'withdrawn'
        and list_contains(consent_events.purposes, 'listening_history')
        and consent_events.occurred_at <= donations.loaded_at
)
