{# Every landed row has one fate: person by person the sums are the numbers of landed rows. #}
{% test closes_to_landed_rows(model) %}

with accounted as (
    select
        participant_id,
        history_source,
        sum(landed_rows) as landed_rows
    from {{ model }}
    group by participant_id, history_source
),

landed_rows as (
    select participant_no, 'extended' as history_source from {{ source('raw', 'extended_plays') }}
    union all
    select participant_no, 'account' as history_source from {{ source('raw', 'account_plays') }}
),

landed as (
    select
        case when int_listeners.grants_listening_history then int_listeners.pseudonym else 'no active consent' end as participant_id,
        landed_rows.history_source,
        count(*) as landed_rows
    from landed_rows
    left join {{ ref('int_listeners') }} as int_listeners on landed_rows.participant_no = int_listeners.participant_no
    group by 1, 2
)

select
    accounted.landed_rows as accounted_rows,
    landed.landed_rows
from landed
full outer join accounted
    on
        landed.participant_id = accounted.participant_id
        and landed.history_source = accounted.history_source
where accounted.landed_rows is distinct from landed.landed_rows

{% endtest %}
