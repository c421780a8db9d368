{# A model that says `memory` in its meta reads what it was before: at the beginning of a run its table must be there,
   with the columns that it has now. One with other columns has nothing to keep. #}
{% macro lay_out_memories() %}
    {% if execute and not is_on_spark() and flags.WHICH in ['run', 'build'] and not is_desk() %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') if node.config.meta.memory %}
            {% set columns = [] %}
            {% for column in node.columns.values() %}
                {% do columns.append(column.name ~ ' ' ~ column.data_type) %}
            {% endfor %}
            {% set place = '"' ~ node.database ~ '"."' ~ node.schema ~ '"."' ~ node.alias ~ '"' %}
            {% set there = run_query(
                "select lower(string_agg(column_name || ' ' || data_type, ', ' order by column_index)) from duckdb_columns() "
                ~ "where database_name = '" ~ node.database ~ "' and schema_name = '" ~ node.schema ~ "' and table_name = '" ~ node.alias ~ "'"
            ).rows[0][0] %}
            {% if there != columns | join(', ') | lower or flags.FULL_REFRESH %}
                {% do run_query('create schema if not exists "' ~ node.database ~ '"."' ~ node.schema ~ '"') %}
                {% do run_query('create or replace table ' ~ place ~ ' (' ~ columns | join(', ') ~ ')') %}
                {% do adapter.cache_added(api.Relation.create(database=node.database, schema=node.schema, identifier=node.alias, type='table')) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}
