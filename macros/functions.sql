{# dbt 1.11 knows function nodes but not how DuckDB spells them. DuckDB inlines the body. #}
{% macro duckdb__scalar_function_sql(target_relation) -%}
    {{ duckdb_function_sql(target_relation.render(), model.arguments, model.compiled_code) }}
{%- endmacro %}

{% macro duckdb_function_sql(name, arguments, body) -%}
    create or replace function {{ name }}({{ arguments | map(attribute='name') | join(', ') }}) as ({{ body }})
{%- endmacro %}

{# Only `dbt build` makes function nodes. A bare `dbt run` needs them too, so it begins with them. #}
{% macro create_functions() %}
    {% if execute and flags.WHICH in ['run', 'test'] %}
        {% for node in graph.functions.values() | sort(attribute='name') %}
            {% do run_query('create schema if not exists "' ~ node.database ~ '"."' ~ node.schema ~ '"') %}
            {% do run_query(duckdb_function_sql('"' ~ node.database ~ '"."' ~ node.schema ~ '"."' ~ node.name ~ '"', node.arguments, node.raw_code)) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
