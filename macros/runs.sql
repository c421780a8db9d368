{# What a run of dbt made, noted in the vault: whether the warehouse is complete, and which relations are ours. #}
{% macro note_start() %}
    {{ return(adapter.dispatch('note_start', 'consonance')()) }}
{% endmacro %}

{% macro duckdb__note_start() %}
    {% if execute and flags.WHICH in ['run', 'build'] %}
        {% do run_query('update vault.raw.last_run set is_complete = false') %}
        {# Figures of an attack on other data would mislead. #}
        {% do run_query('drop table if exists "' ~ target.database ~ '".audit.privacy_risk') %}
    {% endif %}
{% endmacro %}

{% macro note_end() %}
    {{ return(adapter.dispatch('note_end', 'consonance')()) }}
{% endmacro %}

{% macro duckdb__note_end() %}
    {% if execute and flags.WHICH in ['run', 'build'] %}
        {% set made = results | selectattr('node.resource_type', 'in', ['model', 'seed']) | selectattr('status', 'equalto', 'success') | map(attribute='node') | list %}
        {% for node in made %}
            {% do run_query(
                "insert or ignore into vault.raw.made_relations values ('"
                ~ [node.database, node.schema, node.alias] | join("', '") ~ "')"
            ) %}
        {% endfor %}
        {% set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | list %}
        {% set made_models = made | selectattr('resource_type', 'equalto', 'model') | list %}
        {% set is_as_written = not (invocation_args_dict.vars or invocation_args_dict.empty or invocation_args_dict.sample) %}
        {% if made_models | length == models | length and is_as_written %}
            {% do run_query('delete from vault.raw.last_run') %}
            {% do run_query(
                'insert into vault.raw.last_run select true, '
                ~ "(select coalesce(max(entry_no), 0) from vault.raw.audit_log), getvariable('project_digest')"
            ) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# An engine without a vault notes nothing. #}
{% macro default__note_start() %}{% endmacro %}

{% macro default__note_end() %}{% endmacro %}
