-- One row is one participant who is enrolled or in the ledger: the event that counts.
with events as (
    select
        consent_events.ledger_line,
        consent_events.participant_code,
        consent_events.occurred_at <= study.as_of or consent_events.event = 'withdrawn' as is_past,
        lag(consent_events.event) over (
            partition by consent_events.participant_code
            order by consent_events.occurred_at asc, consent_events.ledger_line asc
        ) as previous_event
    from vault.raw.consent_events
    cross join vault.raw.study
),

counting_events as (
    {{ counting_consent_events() }}
),

codes as (
    select
        participant_code,
        true as is_enrolled
    from vault.raw.participants
    union all
    select distinct
        participant_code,
        false as is_enrolled
    from vault.raw.consent_events
    where participant_code not in (select participant_code from vault.raw.participants)
),

totals as (
    select
        participant_code,
        count(*) filter (where is_past) as events,
        count(*) filter (where not is_past) as later_events
    from events
    group by participant_code
),

states as (
    select
        codes.participant_code,
        codes.is_enrolled,
        counting_events.event,
        events.previous_event,
        case when counting_events.is_active then counting_events.purposes else [] end as purposes,
        counting_events.form_version,
        counting_events.occurred_at,
        counting_events.history_from,
        counting_events.history_to,
        coalesce(totals.events, 0) as events,
        coalesce(totals.later_events, 0) as later_events
    from codes
    left join counting_events on codes.participant_code = counting_events.participant_code
    left join events on counting_events.ledger_line = events.ledger_line
    left join totals on codes.participant_code = totals.participant_code
)

select * from states
order by participant_code
