-- One row is one participant with secrets in the keyring: what their last ledger event not after the
-- study's as_of grants. The ledger is asked itself, not a model.
select
    keyring.participant_no,
    keyring.participant_code,
    keyring.pseudonym,
    keyring.shift_weeks,
    coalesce(last_events.last.event, 'none') as event,
    case when last_events.last.event in ('granted', 'amended') then last_events.last.purposes else [] end as purposes,
    last_events.last.history_from as history_from,
    last_events.last.history_to as history_to
from vault.raw.keyring
left join (
    select
        consent_events.participant_code,
        max_by(consent_events, (consent_events.occurred_at, consent_events.ledger_line)) as last
    from vault.raw.consent_events, vault.raw.study
    where consent_events.occurred_at <= study.as_of
    group by consent_events.participant_code
) as last_events on last_events.participant_code = keyring.participant_code
