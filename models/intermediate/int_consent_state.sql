-- One row is one participant code with a consent event not after the study's as_of: what it grants now.
with stg_consent_events as (select * from {{ ref('stg_consent_events') }}),

stg_study as (select * from {{ ref('stg_study') }}),

counting_events as (
    {{ counting_consent_events('stg_consent_events', 'occurred_ms', 'stg_study', 'as_of_ms') }}
),

current_state as (
    select
        participant_code,
        event,
        is_active,
        history_from,
        history_to,
        {%- for purpose in consent_purposes() %}
        is_active and array_contains(purposes, '{{ purpose }}') as grants_{{ purpose }}{{ ',' if not loop.last }}
        {%- endfor %}
    from counting_events
)

select * from current_state
