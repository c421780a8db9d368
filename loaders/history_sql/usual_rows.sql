{# CTEs: the rows of a member, typed as if every row had just the keys of the first recognisable one, in that order,
   and every value were as usual. `is_odd`: this one has or is not. #}
{% from 'values.sql' import raw, usual, is_unusual %}
with numbered as (
    select nextval('row_numbers') as row_no, fields, fault, map_values(fields) as field_values
    from {{ rows }}
),

-- A value by its place is quicker than by its key. Places are used here alone.
named as (
    select
        row_no, fields, fault,
        {%- for column, key in json_columns.items() %}
        {{ 'field_values[%d]' % places[key] if key in places else 'cast(null as json)' }} as {{ column }}_json
        {{- '' if loop.last else ',' }}
        {%- endfor %}
    from numbered
),

typed as (
    select
        *,
        case
            when regexp_full_match({{ raw(kind.time_column ~ '_json') }}, '"{{ kind.usual_time }}"')
                then try_cast(trim({{ raw(kind.time_column ~ '_json') }}, chr(34)) as timestamp)
        end as {{ kind.time_column }},
        case
            when regexp_full_match({{ raw('ms_played_json') }}, '\d{1,12}') then cast({{ raw('ms_played_json') }} as bigint)
        end as ms_played
        {%- for field in kind.fields %},
        {{ usual(field.type, field.column ~ '_json') }} as {{ field.column }}
        {%- endfor %}
    from named
),

usual_rows as (
    select
        *,
        coalesce(
            fault is not null
            or coalesce(hash(map_keys(fields)) <> hash(cast($keys as varchar[])), true)
            or {{ kind.time_column }} is null
            or ms_played is null
            or {{ raw('username_json') }} is distinct from $username
            {%- for field in kind.fields %}
            or {{ is_unusual(field.type, field.column ~ '_json') }}
            {%- endfor %},
            false
        ) as is_odd
    from typed
)
