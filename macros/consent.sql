{# What consent can say, and which of a person's decisions counts: docs/consent.md. It is said here alone. The SQL is
   portable, and the macros call nothing of dbt's but `return`: consonance/consent/rules.py renders them too, for
   SQL that runs beside dbt. #}

{# The purposes that a participant can grant, in the order in which people read them. #}
{% macro consent_purposes() -%}
    {{ return([
        'listening_history',
        'podcasts_audiobooks',
        'private_sessions',
        'demographics',
        'emotion_reports',
        'library',
        'ml_training',
        'sharing_controlled',
        'sharing_public',
    ]) }}
{%- endmacro %}

{# Whether a participant grants that models are trained on their reports and on what they heard. #}
{% macro grants_training(participants) -%}
    {{ participants }}.grants_ml_training
        and {{ participants }}.grants_emotion_reports
        and {{ participants }}.grants_listening_history
{%- endmacro %}

{# What a line of the ledger can be. #}
{% macro consent_events() -%}
    {{ return(['granted', 'amended', 'withdrawn']) }}
{%- endmacro %}

{# Of each participant the event that counts: the last one that is not after the study's as_of, or is a withdrawal; of
   several at the same moment, the later line of the ledger. A withdrawal counts as soon as it is in the ledger: an as_of
   that is set to an earlier day must not bring back who has left. One row is one participant with such an event, in the
   columns of `events`; `is_active`: it is no withdrawal. Nothing is granted by an event that is not active. The
   arguments are the two relations, each with its column of time. #}
{% macro counting_consent_events(events='vault.raw.consent_events', moment='occurred_at', study='vault.raw.study', as_of='as_of') -%}
    select
        past_events.*,
        past_events.event <> 'withdrawn' as is_active
    from (
        select
            events.*,
            row_number() over (
                partition by events.participant_code
                order by events.{{ moment }} desc, events.ledger_line desc
            ) as recency
        from {{ events }} as events
        cross join {{ study }} as study
        where events.{{ moment }} <= study.{{ as_of }} or events.event = 'withdrawn'
    ) as past_events
    where past_events.recency = 1
{%- endmacro %}
