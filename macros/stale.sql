{# A table that an earlier version of this project made, and that no model makes any more, would keep what it
   held, whatever becomes of consent: it goes. Of whoever else made a table, nothing is dropped; nor is anything
   in a run of some models alone. #}
{% macro drop_stale_relations() %}
    {% set is_partial = invocation_args_dict.select or invocation_args_dict.exclude or invocation_args_dict.selector %}
    {% if execute and flags.WHICH in ['run', 'build'] and not is_partial %}
        {% set wanted = [] %}
        {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] %}
            {% do wanted.append((node.database ~ '.' ~ node.schema ~ '.' ~ node.alias) | lower) %}
        {% endfor %}
        {% set found = run_query(
            "select database_name, schema_name, table_name, 'table' from duckdb_tables() "
            ~ 'inner join vault.raw.made_relations as made using (database_name, schema_name) where made.relation_name = table_name'
            ~ ' union all '
            ~ "select database_name, schema_name, view_name, 'view' from duckdb_views() "
            ~ 'inner join vault.raw.made_relations as made using (database_name, schema_name) where made.relation_name = view_name'
        ) %}
        {% for database, schema, name, kind in found.rows if (database ~ '.' ~ schema ~ '.' ~ name) | lower not in wanted %}
            {% do run_query('drop ' ~ kind ~ ' "' ~ database ~ '"."' ~ schema ~ '"."' ~ name ~ '"') %}
        {% endfor %}
    {% endif %}
{% endmacro %}
