{# What a complete run made, in the vault: whether tables are still what dbt would make is read off it. A run
   that is not complete leaves nothing there. #}
{% macro forget_build() %}
    {{ return(adapter.dispatch('forget_build', 'consonance')()) }}
{% endmacro %}

{% macro duckdb__forget_build() %}
    {% if execute and flags.WHICH in ['run', 'build'] %}
        {% do run_query('delete from vault.raw.last_build') %}
    {% endif %}
{% endmacro %}

{% macro note_build() %}
    {{ return(adapter.dispatch('note_build', 'consonance')()) }}
{% endmacro %}

{% macro duckdb__note_build() %}
    {% if execute and flags.WHICH in ['run', 'build'] %}
        {% set made = [] %}
        {% for result in results if result.node.resource_type == 'model' and result.status == 'success' %}
            {% do made.append(result.node) %}
        {% endfor %}
        {% set models = graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | list %}
        {% set is_as_written = not (invocation_args_dict.vars or invocation_args_dict.empty or invocation_args_dict.sample) %}
        {% if made | length == models | length and is_as_written %}
            {% for node in made if 'rests_on_one_person' in node.tags %}
                {% do run_query(
                    "insert into vault.raw.last_build select '" ~ node.name ~ "', '" ~ node.schema ~ "', '" ~ node.alias ~ "', "
                    ~ 'coalesce(sum(hash(built)), 0), (select coalesce(max(entry_no), 0) from vault.raw.audit_log), '
                    ~ "getvariable('project_digest') from " ~ node.relation_name ~ ' as built'
                ) %}
            {% endfor %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# An engine without a vault notes nothing. #}
{% macro default__forget_build() %}{% endmacro %}

{% macro default__note_build() %}{% endmacro %}
