{# Only `dbt build` and `dbt seed` load seeds. A bare `dbt run` begins with them too. #}
{% macro create_seeds() %}
    {% if execute and flags.WHICH == 'run' %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'seed') | sort(attribute='name') %}
            {% set types = [] %}
            {% for column, type in node.config.column_types.items() %}
                {% do types.append("'" ~ column ~ "': '" ~ type ~ "'") %}
            {% endfor %}
            {% do run_query('create schema if not exists "' ~ node.database ~ '"."' ~ node.schema ~ '"') %}
            {% do run_query(
                'create or replace table "' ~ node.database ~ '"."' ~ node.schema ~ '"."' ~ node.alias ~ '" as '
                ~ "from read_csv('" ~ (node.root_path ~ '/' ~ node.original_file_path) | replace("'", "''") ~ "', header = true, types = {" ~ types | join(', ') ~ '})'
            ) %}
        {% endfor %}
    {% endif %}
{% endmacro %}
