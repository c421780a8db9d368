{# Type the odd rows value by value, and say what is wrong with each: odd_rows. #}
{% from 'values.sql' import raw, string, typed, has_type %}
create or replace temp table odd_rows as
with named as (
    select
        row_no, fields, fault, keys
        {%- for column, key in json_columns.items() %},
        fields['{{ key }}'] as {{ column }}_json
        {%- endfor %}
    from odd_fields
),

typed as (
    select
        *,
        {{ string(kind.time_column ~ '_json') }} as time_text,
        coalesce({{ string('ms_played_json') }}, {{ raw('ms_played_json') }}) as duration_text,
        {{ string('username_json') if kind.name == 'extended' else 'cast(null as varchar)' }} as username,
        {%- for field in kind.fields %}
        {{ typed(field.type, field.column ~ '_json') }} as {{ field.column }},
        {%- endfor %}
        list_filter(
            [
                {%- for field in kind.fields %}
                case when not {{ has_type(field.type, field.column ~ '_json') }} then '{{ field.key }}' end
                {{- '' if loop.last else ',' }}
                {%- endfor %}
            ],
            lambda key : key is not null
        ) as wrong_types
    from named
),

measured as (
    select
        *,
        case
            when regexp_full_match(time_text, '{{ kind.time_pattern }}') and time_text >= '0001'
                then timezone('UTC', try_cast(time_text as timestamptz))
        end as {{ kind.time_column }},
        case when regexp_full_match(duration_text, '{{ number }}') then try_cast(duration_text as double) end as duration
    from typed
),

judged as (
    select
        *,
        case
            when fault is not null then fault
            when fields is null then 'not_an_object'
            when len(list_distinct(keys)) < len(keys) then 'duplicate_key'
            when list_contains($foreign_shapes, hash(keys)) then 'other_kind'
            when regexp_full_match(trim({{ raw(kind.time_column ~ '_json') }}, '"'), '{{ number }}') then 'numeric_time'
            when time_text is null then 'missing_time'
            when not regexp_full_match(time_text, '{{ kind.time_pattern }}') then 'unreadable_time'
            when {{ kind.time_column }} is null then 'impossible_time'
            when coalesce(duration_text, '""') = '""' then 'missing_duration'
            when duration is null then 'unreadable_duration'
            when duration < 0 then 'negative_duration'
            when duration <> floor(duration) then 'fractional_duration'
            when duration > {{ max_duration_ms }} then 'impossible_duration'
        end as reason,
        case when reason is null then cast(duration as bigint) end as ms_played
    from measured
)

select row_no, fields, keys, reason, wrong_types, username, {{ landed_columns | join(', ') }}
from judged
