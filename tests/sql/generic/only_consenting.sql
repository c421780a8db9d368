{# Every row belongs to somebody whose last ledger event grants what the model declares that the row needs.
   It reads the ledger itself, not the models that everything else is built on. #}
{% test only_consenting(model) %}
{{ config(enabled=not is_desk()) }}

with past_events as (
    select consent_events.*
    from {{ source('raw', 'consent_events') }} as consent_events
    cross join {{ source('raw', 'study') }} as study
    where
        consent_events.occurred_at <= study.as_of
        -- A withdrawal counts at once.
        or consent_events.event = 'withdrawn'
),

later_events as (
    select
        events.participant_code,
        events.ledger_line
    from past_events as events
    inner join past_events as others
        on
            events.participant_code = others.participant_code
            and (
                others.occurred_at > events.occurred_at
                or (others.occurred_at = events.occurred_at and others.ledger_line > events.ledger_line)
            )
),

granted as (
    select
        keyring.pseudonym,
        past_events.purposes
    from past_events
    inner join {{ source('raw', 'keyring') }} as keyring on past_events.participant_code = keyring.participant_code
    left join later_events
        on
            past_events.participant_code = later_events.participant_code
            and past_events.ledger_line = later_events.ledger_line
    where
        later_events.ledger_line is null
        and past_events.event <> 'withdrawn'
)

select checked.participant_id
from {{ model }} as checked
left join granted on checked.participant_id = granted.pseudonym
where
    checked.participant_id <> 'no active consent'
    and (
        granted.pseudonym is null
        {%- for one in declared_purposes() if one.node.relation_name == model | string %}
        or (
            ({{ one.condition }})
            and not (
                {%- for purpose in one.purpose.split(' or ') %}
                array_contains(granted.purposes, '{{ purpose }}'){{ ' or' if not loop.last }}
                {%- endfor %}
            )
        )
        {%- endfor %}
    )

{% endtest %}
