{# What a JSON value is, as SQL. A value is of DuckDB's type JSON: its text, or null where a row has null or no such
   key. #}

{# The text of a value as it is in the file. #}
{% macro raw(value) -%}
    cast({{ value }} as varchar)
{%- endmacro %}

{# The string that a value is; null if it is none, or empty. #}
{% macro string(value) -%}
    case when starts_with({{ value }}, '"') then nullif(json_extract_string({{ value }}, '$'), '') end
{%- endmacro %}

{# Whether a value is a whole number that a bigint holds without loss. #}
{% macro is_whole(value) -%}
    (
        regexp_full_match({{ raw(value) }}, '{{ number }}')
        and try_cast({{ raw(value) }} as double) = floor(try_cast({{ raw(value) }} as double))
        and abs(try_cast({{ raw(value) }} as double)) < 1e15
    )
{%- endmacro %}

{# A usual value, quickly: of any other value this is not what should land (`is_unusual`). #}
{% macro usual(type, value) -%}
    {%- if type == 'text' -%} nullif(json_extract_string({{ value }}, '$'), '')
    {%- elif type == 'flag' -%} try_cast({{ raw(value) }} as boolean)
    {%- else -%} try_cast({{ raw(value) }} as bigint)
    {%- endif -%}
{%- endmacro %}

{% macro is_unusual(type, value) -%}
    {%- if type == 'text' -%} not starts_with({{ value }}, '"')
    {%- elif type == 'flag' -%} {{ raw(value) }} not in ('true', 'false')
    {%- else -%} not regexp_full_match({{ raw(value) }}, '\d{1,15}')
    {%- endif -%}
{%- endmacro %}

{# Any value: null if it is of another type than `type`. #}
{% macro typed(type, value) -%}
    {%- if type == 'text' -%} {{ string(value) }}
    {%- elif type == 'flag' -%} case {{ raw(value) }} when 'true' then true when 'false' then false end
    {%- else -%} case when {{ is_whole(value) }} then cast(try_cast({{ raw(value) }} as double) as bigint) end
    {%- endif -%}
{%- endmacro %}

{# Whether it is of that type. An empty string means nothing, whatever the type. #}
{% macro has_type(type, value) -%}
    (
        {%- if type == 'text' -%} starts_with({{ value }}, '"')
        {%- elif type == 'flag' -%} {{ raw(value) }} in ('true', 'false')
        {%- else -%} {{ is_whole(value) }}
        {%- endif %} or {{ raw(value) }} = '""'
    )
{%- endmacro %}
