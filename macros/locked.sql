{# Models run only where DuckDB can reach nothing but the study's stores, and cannot be told otherwise. #}
{% macro refuse_an_open_connection() %}
    {% if execute and target.type == 'duckdb' %}
        {% set found = run_query("select current_setting('enable_external_access'), current_setting('lock_configuration')") %}
        {% if found.rows[0][0] or not found.rows[0][1] %}
            {% do exceptions.raise_compiler_error("The connection reaches files outside the study's stores. Look at stores/dbt_plugin.py: it locks the connection before any model runs.") %}
        {% endif %}
    {% endif %}
{% endmacro %}
