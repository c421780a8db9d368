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

{# A value before it is cast to the type of a feature. DuckDB multiplies it and rounds halves away from zero; Spark rounds what
   is written of it, which is another half now and then. #}
{% macro to_cast(value, type) -%}
    {{ return(adapter.dispatch('to_cast', 'consonance')(value, type)) }}
{%- endmacro %}

{% macro duckdb__to_cast(value, type) -%}
    {{ value }}
{%- endmacro %}

{% macro spark__to_cast(value, type) -%}
    {%- set digits = '1000000D' if 'decimal' in type else '1D' -%}
    sign({{ value }}) * floor(abs({{ value }}) * {{ digits }} + 0.5D) / {{ digits }}
{%- endmacro %}

{# The id of a recording of MusicBrainz, which a text holds, in the type of the catalogue. #}
{% macro as_uuid(text) -%}
    {{ return(adapter.dispatch('as_uuid', 'consonance')(text)) }}
{%- endmacro %}

{% macro duckdb__as_uuid(text) -%}
    cast({{ text }} as uuid)
{%- endmacro %}

{# Spark has no such type: the export of the vault writes texts. #}
{% macro spark__as_uuid(text) -%}
    {{ text }}
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
