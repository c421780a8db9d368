{# `dbt build` makes the functions and the seeds, a bare `dbt run` neither: it begins with them. At the desk they
   are in the warehouse already. #}
{% macro create_functions_and_seeds() %}
    {% if execute and not is_on_spark() and flags.WHICH in ['run', 'test'] and not is_desk() %}
        {% do create_functions() %}
        {% do create_seeds() if flags.WHICH == 'run' %}
    {% endif %}
{% endmacro %}

{% macro create_functions() %}
    {% set functions = graph.functions.values() | sort(attribute='name') %}
    {% set statements = schemas_of(functions) %}
    {% for node in functions %}
        {% do statements.append(duckdb_function_sql('"' ~ node.database ~ '"."' ~ node.schema ~ '"."' ~ node.name ~ '"', node.arguments, node.raw_code)) %}
    {% endfor %}
    {% do run_query(statements | join(';\n')) %}
{% endmacro %}

{% macro schemas_of(nodes) %}
    {% set statements = [] %}
    {% for node in nodes %}
        {% do statements.append('create schema if not exists "' ~ node.database ~ '"."' ~ node.schema ~ '"') %}
    {% endfor %}
    {{ return(statements | unique | list) }}
{% endmacro %}

{# dbt 1.11 knows function nodes but not how DuckDB spells them. DuckDB inlines the body. #}
{% macro duckdb__scalar_function_sql(target_relation) -%}
    {{ duckdb_function_sql(target_relation.render(), model.arguments, model.compiled_code) }}
{%- endmacro %}

{% macro duckdb_function_sql(name, arguments, body) -%}
    create or replace function {{ name }}({{ arguments | map(attribute='name') | join(', ') }}) as ({{ body }})
{%- endmacro %}

{% macro create_seeds() %}
    {% set seeds = graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | sort(attribute='name') %}
    {% set statements = schemas_of(seeds) %}
    {% for node in seeds %}
        {% if not node.config.column_types %}
            {% do exceptions.raise_compiler_error(
                node.original_file_path ~ " has no column_types, so nobody has said what its columns are. "
                ~ "Name the seed in seeds/_seeds.yml, with config: column_types and the type of each column."
            ) %}
        {% endif %}
        {% set types = [] %}
        {% for column, type in node.config.column_types.items() %}
            {% do types.append("'" ~ column ~ "': '" ~ type ~ "'") %}
        {% endfor %}
        {% do statements.append(
            'create or replace table "' ~ node.database ~ '"."' ~ node.schema ~ '"."' ~ node.alias ~ '" as '
            ~ "from read_csv('" ~ (node.root_path ~ '/' ~ node.original_file_path) | replace("'", "''") ~ "', header = true, types = {" ~ types | join(', ') ~ '})'
        ) %}
        {% set place = '"' ~ node.database ~ '"."' ~ node.schema ~ '"."' ~ node.alias ~ '"' %}
        {% do statements.append('comment on table ' ~ place ~ " is '" ~ node.description | replace("'", "''") ~ "'") %}
        {% for column in node.columns.values() %}
            {% do statements.append('comment on column ' ~ place ~ '."' ~ column.name ~ '" is ' ~ "'" ~ column.description | replace("'", "''") ~ "'") %}
        {% endfor %}
    {% endfor %}
    {% do run_query(statements | join(';\n')) %}
{% endmacro %}
