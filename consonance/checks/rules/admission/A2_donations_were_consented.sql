-- relation: vault.raw.donations
-- what: Whoever a donation is from had consented to listening_history before it was loaded.
-- example: A zip was landed for a participant whose only ledger line is dated a week later.
-- why: Without an active consent a donation stays at the door, unread (C1).
-- remedy: Erase the donation, and find out how it passed the door.
select donations.donation_id
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
