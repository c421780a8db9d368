-- One row is one person, one column of marts.plays that has words or yes and no, and one value of it (also null), with the
-- first and the last (shifted) day on which the person has it: all but four of these plays are between them, for exports
-- have exceptions. Beside them the place of the person's first and last play (`column_name` is empty).
with plays as (select * from warehouse.marts.plays),

persons as (select * from temp.seen_persons),

placed as (
    select
        persons.person,
        cast(floor(epoch_ms(plays.started_at_local) / 86400000.0) as integer) as day,
        {{ columns | map('tojson') | join(',\n        ') }}
    from plays
    inner join persons on plays.participant_id = persons.participant_id
),

spans as (
    {%- for column in columns %}
    select
        person,
        '{{ column }}' as column_name,
        cast({{ column | tojson }} as varchar) as value,
        min(day, 5) as first_days,
        max(day, 5) as last_days
    from placed
    group by person, {{ column | tojson }}
    union all
    {%- endfor %}
    select
        person,
        '' as column_name,
        null as value,
        [min(day)] as first_days,
        [max(day)] as last_days
    from placed
    group by person
),

trimmed as (
    select
        person,
        column_name,
        value,
        first_days[-1] as first_day,
        last_days[-1] as last_day
    from spans
    where column_name = '' or len(first_days) = 5
)

select * from trimmed
