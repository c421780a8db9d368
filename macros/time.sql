{# Times left of the wall are whole milliseconds since 1970-01-01 UTC: what every engine can add. #}

{% macro epoch_ms(timestamp) -%}
    {{ return(adapter.dispatch('epoch_ms', 'consonance')(timestamp)) }}
{%- endmacro %}

{% macro duckdb__epoch_ms(timestamp) -%}
    epoch_ms({{ timestamp }})
{%- endmacro %}

{% macro spark__epoch_ms(timestamp) -%}
    unix_millis(cast({{ timestamp }} as timestamp_ltz))
{%- endmacro %}

{# A timestamp, so many milliseconds later. #}
{% macro plus_ms(timestamp, ms) -%}
    {{ return(adapter.dispatch('plus_ms', 'consonance')(timestamp, ms)) }}
{%- endmacro %}

{% macro duckdb__plus_ms(timestamp, ms) -%}
    make_timestamp_ms(epoch_ms({{ timestamp }}) + ({{ ms }}))
{%- endmacro %}

{% macro spark__plus_ms(timestamp, ms) -%}
    cast(timestamp_millis({{ spark__epoch_ms(timestamp) }} + ({{ ms }})) as timestamp_ntz)
{%- endmacro %}

{# Day number since 1970-01-01 of a count of milliseconds. #}
{% macro epoch_day(ms) -%}
    cast(floor(({{ ms }}) / 86400000.0) as integer)
{%- endmacro %}

{% macro date_of_epoch_day(day) -%}
    {{ return(adapter.dispatch('date_of_epoch_day', 'consonance')(day)) }}
{%- endmacro %}

{% macro duckdb__date_of_epoch_day(day) -%}
    (date '1970-01-01' + ({{ day }}))
{%- endmacro %}

{% macro spark__date_of_epoch_day(day) -%}
    date_from_unix_date({{ day }})
{%- endmacro %}

{# What a zone's clock shows beyond UTC, in milliseconds, at a moment in UTC. #}
{% macro zone_offset_ms(zone, utc_ms) -%}
    {{ return(adapter.dispatch('zone_offset_ms', 'consonance')(zone, utc_ms)) }}
{%- endmacro %}

{% macro duckdb__zone_offset_ms(zone, utc_ms) -%}
    (epoch_ms(timezone({{ zone }}, timezone('UTC', make_timestamp_ms({{ utc_ms }})))) - ({{ utc_ms }}))
{%- endmacro %}

{% macro spark__zone_offset_ms(zone, utc_ms) -%}
    (unix_millis(from_utc_timestamp(timestamp_millis({{ utc_ms }}), {{ zone }})) - ({{ utc_ms }}))
{%- endmacro %}

{# The whole numbers from first to last, both included, as a relation with the column "number". #}
{% macro whole_numbers(first, last) -%}
    {{ return(adapter.dispatch('whole_numbers', 'consonance')(first, last)) }}
{%- endmacro %}

{% macro duckdb__whole_numbers(first, last) -%}
    (select cast(generate_series as integer) as number from generate_series({{ first }}, {{ last }}))
{%- endmacro %}

{% macro spark__whole_numbers(first, last) -%}
    (select cast(id as integer) as number from range({{ first }}, {{ last }} + 1))
{%- endmacro %}
