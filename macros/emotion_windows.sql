{# The windows of an emotion report, one row for each: so many minutes before and after it, the local day before it, the
   session around it. #}
{% macro emotion_windows() -%}
    {%- for direction in ('before', 'after') %}
    {%- for minutes in var('emotion_windows_minutes') %}
    select
        '{{ direction }}_{{ minutes }}m' as emotion_window,
        '{{ direction }}' as direction,
        cast({{ minutes }} as integer) as window_minutes
    union all
    {%- endfor %}
    {%- endfor %}
    {%- for emotion_window, direction in (('day_before', 'day_before'), ('session', 'around')) %}
    select
        '{{ emotion_window }}' as emotion_window,
        '{{ direction }}' as direction,
        cast(null as integer) as window_minutes
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# Rounded to six digits. In which order numbers are added changes their last digits. Means of a few numbers often end in
   a half, which is rounded up whatever those digits are. #}
{% macro rounded(number) -%}
    round({{ number }} + 1e-9, 6)
{%- endmacro %}

{# The hour of the elapsed clock in which a moment is. #}
{% macro elapsed_hour(ms) -%}
    cast(floor(({{ ms }}) / 3600000.0) as bigint)
{%- endmacro %}

{# Milliseconds from one local time to a later one, null if there is no earlier one. Where the clock was set back in
   between they may be too few, but never fewer than none. #}
{% macro local_ms_between(earlier, later) -%}
    case when {{ earlier }} is not null then greatest(0, {{ epoch_ms(later) }} - {{ epoch_ms(earlier) }}) end
{%- endmacro %}
