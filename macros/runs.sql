{# What runs of dbt made: noted in the vault, so that it is known whether the warehouse is complete, and which
   relations are the project's. A run at the desk has no vault, and leaves its note in the warehouse. #}
{% macro note_start() %}
    {% if execute and not is_on_spark() and flags.WHICH in ['run', 'build'] %}
        {# Figures of an attack on other data would mislead. #}
        {% do run_query('drop table if exists "' ~ target.database ~ '".audit.privacy_risk') %}
        {% if is_desk() %}
            {% do note_at_the_desk() %}
        {% else %}
            {% do run_query('update vault.raw.last_run set is_complete = false') %}
            {% do take_over_the_note_of_the_desk() %}
        {% endif %}
    {% endif %}
{% endmacro %}

{% macro note_at_the_desk() %}
    {% set note = '"' ~ target.database ~ '".desk.made_relations' %}
    {% do run_query('create schema if not exists "' ~ target.database ~ '".desk') %}
    {% do run_query('create table if not exists ' ~ note ~ ' (schema_name varchar, relation_name varchar)') %}
    {% set models = [] %}
    {% for node in graph.nodes.values() if node.resource_type == 'model' and node.unique_id in selected_resources %}
        {% do models.append("('" ~ node.schema ~ "', '" ~ node.alias ~ "')") %}
    {% endfor %}
    {% do run_query('insert into ' ~ note ~ ' values ' ~ models | join(', ')) if models %}
    {# In no order but that of the names, like every table right of the wall. #}
    {% do run_query('create or replace table ' ~ note ~ ' as select distinct * from ' ~ note ~ ' order by all') %}
{% endmacro %}

{% macro take_over_the_note_of_the_desk() %}
    {% if run_query("select 1 from duckdb_tables() where database_name = '" ~ target.database ~ "' and schema_name = 'desk'").rows %}
        {% do run_query(
            "insert or ignore into vault.raw.made_relations select '" ~ target.database ~ "', * "
            ~ 'from "' ~ target.database ~ '".desk.made_relations'
        ) %}
        {% do run_query('drop schema "' ~ target.database ~ '".desk cascade') %}
    {% endif %}
{% endmacro %}

{% macro note_end() %}
    {% if execute and not is_on_spark() and flags.WHICH in ['run', 'build'] and not is_desk() %}
        {% set made = results | selectattr('node.resource_type', 'in', ['model', 'seed']) | selectattr('status', 'equalto', 'success') | map(attribute='node') | list %}
        {% set relations = [] %}
        {% for node in made %}
            {% do relations.append("('" ~ [node.database, node.schema, node.alias] | join("', '") ~ "')") %}
        {% endfor %}
        {% do run_query('insert or ignore into vault.raw.made_relations values ' ~ relations | join(', ')) if relations %}
        {% set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | list %}
        {% set made_models = made | selectattr('resource_type', 'equalto', 'model') | list %}
        {% set failed = results | selectattr('status', 'in', ['error', 'fail']) | list %}
        {% set is_as_written = not (invocation_args_dict.empty or invocation_args_dict.sample) %}
        {% if made_models | length == models | length and is_as_written and not failed %}
            {# First: whatever is noted as complete is on the desk, too. #}
            {% do write_desk() %}
            {% do run_query('delete from vault.raw.last_run') %}
            {% do run_query(
                'insert into vault.raw.last_run select true, '
                ~ "(select coalesce(max(entry_no), 0) from vault.raw.audit_log), getvariable('project_digest')"
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# A table that an earlier version of this project made, and that no model makes any more, would keep its rows
   whatever its participants withdraw: it is dropped. Nothing is dropped that somebody else made, and nothing in a
   run of some models alone. #}
{% macro drop_stale_relations() %}
    {% set is_partial = invocation_args_dict.select or invocation_args_dict.exclude or invocation_args_dict.selector %}
    {% if execute and not is_on_spark() and flags.WHICH in ['run', 'build'] and not is_partial and not is_desk() %}
        {% set wanted, schemas = [], [] %}
        {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] %}
            {% do schemas.append((node.database ~ '.' ~ node.schema) | lower) %}
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
        {% set emptied = run_query(
            'select distinct database_name, schema_name from vault.raw.made_relations '
            ~ 'anti join duckdb_tables() using (database_name, schema_name) anti join duckdb_views() using (database_name, schema_name)'
        ) %}
        {% for database, schema in emptied.rows if (database ~ '.' ~ schema) | lower not in schemas %}
            {% do run_query('drop schema if exists "' ~ database ~ '"."' ~ schema ~ '"') %}
        {% endfor %}
    {% endif %}
{% endmacro %}
