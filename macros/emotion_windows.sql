{# The windows before an emotion report: one row for each, with its length. #}
{% macro emotion_windows() -%}
    {%- for minutes in var('emotion_windows_minutes') %}
    select cast({{ minutes }} as integer) as window_minutes
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
