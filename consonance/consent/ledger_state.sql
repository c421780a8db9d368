-- One row is one participant of the keyring: what the event that counts at the study's as_of grants. It reads the
-- ledger itself, not a model.
select
    keyring.participant_no,
    keyring.participant_code,
    keyring.pseudonym,
    keyring.shift_weeks,
    coalesce(counting_events.event, 'none') as event,
    case when counting_events.is_active then counting_events.purposes else [] end as purposes,
    counting_events.history_from,
    counting_events.history_to
from vault.raw.keyring
left join (
    {{ counting_consent_events() }}
) as counting_events on counting_events.participant_code = keyring.participant_code
