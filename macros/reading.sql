{# Stands after the `as` of a CTE that is read several times and has a row for each play: it is read anew each time. DuckDB
   would else copy what it gives into memory, texts and all. #}
{% macro read_anew() -%}
    {{ return(adapter.dispatch('read_anew', 'consonance')()) }}
{%- endmacro %}

{% macro default__read_anew() -%}
{%- endmacro %}

{% macro duckdb__read_anew() -%}
    not materialized
{%- endmacro %}
