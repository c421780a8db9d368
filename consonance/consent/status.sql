-- One row is one participant who is enrolled or in the ledger: the event that counts at the study's as_of.
with study as (
    select as_of
    from vault.raw.study
),

events as (
    select
        consent_events.*,
        consent_events.occurred_at <= study.as_of as is_past,
        row_number() over (
            partition by consent_events.participant_code, consent_events.occurred_at <= study.as_of
            order by consent_events.occurred_at desc, consent_events.ledger_line desc
        ) as recency,
        lag(consent_events.event) over (
            partition by consent_events.participant_code
            order by consent_events.occurred_at asc, consent_events.ledger_line asc
        ) as previous_event
    from vault.raw.consent_events
    cross join study
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
        last_events.event,
        last_events.previous_event,
        case when last_events.event <> 'withdrawn' then last_events.purposes else [] end as purposes,
        last_events.form_version,
        last_events.occurred_at,
        last_events.history_from,
        last_events.history_to,
        coalesce(totals.events, 0) as events,
        coalesce(totals.later_events, 0) as later_events
    from codes
    left join events as last_events
        on
            codes.participant_code = last_events.participant_code
            and last_events.is_past
            and last_events.recency = 1
    left join totals on codes.participant_code = totals.participant_code
)

select * from states
order by participant_code
