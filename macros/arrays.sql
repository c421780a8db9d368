{# An array of the given expressions. #}
{% macro array_of(expressions) -%}
    {{ return(adapter.dispatch('array_of', 'consonance')(expressions)) }}
{%- endmacro %}

{% macro duckdb__array_of(expressions) -%}
    [{{ expressions | join(', ') }}]
{%- endmacro %}

{% macro spark__array_of(expressions) -%}
    array({{ expressions | join(', ') }})
{%- endmacro %}

{# Two arrays, one after the other. #}
{% macro joined_arrays(first, second) -%}
    {{ return(adapter.dispatch('joined_arrays', 'consonance')(first, second)) }}
{%- endmacro %}

{% macro duckdb__joined_arrays(first, second) -%}
    list_concat({{ first }}, {{ second }})
{%- endmacro %}

{% macro spark__joined_arrays(first, second) -%}
    concat({{ first }}, {{ second }})
{%- endmacro %}

{# The first element of an array that has one. #}
{% macro first_of(list) -%}
    {{ return(adapter.dispatch('first_of', 'consonance')(list)) }}
{%- endmacro %}

{% macro duckdb__first_of(list) -%}
    {{ list }}[1]
{%- endmacro %}

{% macro spark__first_of(list) -%}
    {{ list }}[0]
{%- endmacro %}

{# One row for each element of an array column. #}
{% macro unnested(relation, column, name) -%}
    {{ return(adapter.dispatch('unnested', 'consonance')(relation, column, name)) }}
{%- endmacro %}

{% macro duckdb__unnested(relation, column, name) -%}
    select unnest({{ column }}) as {{ name }} from {{ relation }}
{%- endmacro %}

{% macro spark__unnested(relation, column, name) -%}
    select explode({{ column }}) as {{ name }} from {{ relation }}
{%- endmacro %}
