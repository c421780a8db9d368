{# A table that no model makes any more would keep what it held, whatever becomes of consent: it goes. #}
{% macro drop_stale_relations() %}
    {% if execute and flags.WHICH in ['run', 'build'] %}
        {% set wanted = [] %}
        {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] %}
            {% do wanted.append((node.database ~ '.' ~ node.schema ~ '.' ~ node.alias) | lower) %}
        {% endfor %}
        {% set found = run_query(
            "select database_name, schema_name, table_name, 'table' from duckdb_tables() where not internal and not temporary"
            ~ " union all "
            ~ "select database_name, schema_name, view_name, 'view' from duckdb_views() where not internal and not temporary"
        ) %}
        {% for database, schema, name, kind in found.rows %}
            {% set is_ours = database == target.database or (database == 'vault' and schema in ['staging', 'reconciled']) %}
            {% if is_ours and (database ~ '.' ~ schema ~ '.' ~ name) | lower not in wanted %}
                {% do run_query('drop ' ~ kind ~ ' "' ~ database ~ '"."' ~ schema ~ '"."' ~ name ~ '"') %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
