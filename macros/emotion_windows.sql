{# The windows of an emotion report, one row for each: so many minutes before and after it, the local day before it, the
   session around it. Where many rows are grouped, the number stands for the name: names are long. #}
{% macro emotion_windows() -%}
    {%- set windows = [] %}
    {%- for direction in ('before', 'after') %}
    {%- for minutes in var('emotion_windows_minutes') %}
    {%- do windows.append((direction ~ '_' ~ minutes ~ 'm', direction, minutes)) %}
    {%- endfor %}
    {%- endfor %}
    {%- do windows.extend([('day_before', 'day_before', 'null'), ('session', 'around', 'null')]) %}
    {%- for emotion_window, direction, minutes in windows %}
    select
        cast({{ loop.index }} as integer) as window_no,
        '{{ emotion_window }}' as emotion_window,
        '{{ direction }}' as direction,
        cast({{ minutes }} as integer) as window_minutes
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
{%- endmacro %}

{# The audio features of which a mean says something, each with a number that stands for its name: of the relation
   audio_features. #}
{% macro numbered_features() -%}
    select
        feature,
        cast(row_number() over (order by feature) as integer) as feature_no
    from audio_features
    where feature not in ('{{ var('features_without_mean') | join("', '") }}')
{%- endmacro %}

{# How much a play counts in a mean over plays: its whole seconds, a day at most. Windows add up whole numbers, so that it
   makes no difference in which order, and bounded ones, so that every product has room in 64 bits. #}
{% macro play_seconds(ms_played) -%}
    cast(floor(least({{ ms_played }}, 86400000) / 1000.0) as bigint)
{%- endmacro %}

{# A value of a feature in whole units of its last digit. No feature is beyond 500 or has more than six digits. #}
{% macro in_units(value, digits) -%}
    cast(round({{ value }} * {{ 10 ** digits }}) as bigint)
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
