-- One row is one participant code with a consent event not after the study's as_of: what it grants now.
with events as (select * from {{ ref('stg_consent_events') }}),

study as (select * from {{ ref('stg_study') }}),

past_events as (
    select events.*
    from events
    cross join study
    where events.occurred_ms <= study.as_of_ms
),

-- Of events at the same moment the later line of the ledger counts.
ordered as (
    select
        participant_code,
        event,
        purposes,
        history_from,
        history_to,
        row_number() over (
            partition by participant_code
            order by occurred_ms desc, ledger_line desc
        ) as recency
    from past_events
),

current_state as (
    select
        participant_code,
        event,
        event <> 'withdrawn' as is_active,
        history_from,
        history_to,
        {%- for purpose in consent_purposes() %}
        event <> 'withdrawn' and array_contains(purposes, '{{ purpose }}') as grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from ordered
    where recency = 1
)

select * from current_state
