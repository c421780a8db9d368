{# The type of a feature's columns. #}
{% macro feature_type(feature) -%}
    {%- if feature == 'duration_ms' -%}
        bigint
    {%- elif feature in ['musical_key', 'mode', 'time_signature'] -%}
        smallint
    {%- else -%}
        decimal(9, 6)
    {%- endif -%}
{%- endmacro %}

{# How popular a track is, by its plays in the study. #}
{% macro popularity_band(plays) -%}
    case
        when {{ plays }} = 1 then '1 play'
        when {{ plays }} < 10 then '2 to 9 plays'
        when {{ plays }} < 100 then '10 to 99 plays'
        else '100 plays and more'
    end
{%- endmacro %}

{# Which year of somebody's history a time is in; 1 is the first. #}
{% macro year_of_history(time, beginning) -%}
    cast(floor(({{ epoch_ms(time) }} - {{ epoch_ms(beginning) }}) / 31557600000.0) as integer) + 1
{%- endmacro %}
