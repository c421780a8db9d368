{# Before any model: whether the connection is closed, and the stores behind it hold what the run needs. #}
{% macro refuse_unfit_stores() %}
    {% if execute and not is_on_spark() %}
        {% do refuse_an_open_connection() %}
        {% do refuse_other_variables() %}
        {% do refuse_what_the_desk_lacks() if is_desk() %}
    {% endif %}
{% endmacro %}

{# Whether the run has the warehouse alone: `--target desk`, without vault, catalogue and key. #}
{% macro is_desk() %}
    {{ return(target.name == 'desk') }}
{% endmacro %}

{# Models run only where DuckDB can reach nothing but the study's stores, and no statement can change that. #}
{% macro refuse_an_open_connection() %}
    {% set unfit = run_query(unfit_settings(true)).columns[0].values() | join(', ') %}
    {% if unfit %}
        {% do exceptions.raise_compiler_error("The connection reaches files outside the study's stores, or may leave what it reads on the disk (" ~ unfit ~ "). Look at prepare() and lock_down() in consonance/study/vault.py, which consonance/study/dbt_plugin.py calls before any model runs.") %}
    {% endif %}
{% endmacro %}

{# With other values of the variables a model may have other columns than those that the check of the wall has read. #}
{% macro refuse_other_variables() %}
    {% if invocation_args_dict.vars %}
        {% do exceptions.raise_compiler_error("--vars is refused: the check of the wall reads the models with the variables of dbt_project.yml. Change them there.") %}
    {% endif %}
{% endmacro %}

{# At the desk models of marts and audit are made, of what the warehouse holds already. #}
{% macro refuse_what_the_desk_lacks() %}
    {% set there = run_query("select schema_name || '.' || table_name from duckdb_tables() where database_name = '" ~ target.database ~ "'").columns[0].values() %}
    {% for node in graph.nodes.values() if node.unique_id in selected_resources %}
        {% if node.resource_type != 'test' and node.schema not in ['marts', 'audit'] %}
            {% do exceptions.raise_compiler_error(node.name ~ " is not made with '--target desk': only models of marts and audit are. Select some of these, or leave '--target desk' out where the vault is.") %}
        {% endif %}
        {% for id in node.depends_on.nodes if id not in selected_resources %}
            {% set parent = graph.sources.get(id) or graph.nodes.get(id) %}
            {% set relation = parent.schema ~ '.' ~ (parent.alias or parent.identifier) %}
            {% if parent.database != target.database or relation not in there %}
                {% do exceptions.raise_compiler_error(node.name ~ " reads " ~ relation ~ ", which the warehouse lacks. Select it too if it is a model of marts; else the next 'dbt run' with the vault has to make it.") %}
            {% endif %}
        {% endfor %}
    {% endfor %}
{% endmacro %}
