{# Models run only where DuckDB can reach nothing but the study's stores, and cannot be told otherwise. #}
{% macro refuse_an_open_connection() %}
    {% if execute and target.type == 'duckdb' %}
        {% set found = run_query("select current_setting('enable_external_access'), current_setting('lock_configuration')") %}
        {% if found.rows[0][0] or not found.rows[0][1] %}
            {% do exceptions.raise_compiler_error("The connection reaches files outside the study's stores. Look at consonance/study/dbt_plugin.py: it locks the connection before any model runs.") %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# A vault of an older version lacks tables; the next load lays them out. #}
{% macro refuse_an_older_vault() %}
    {% if execute and target.type == 'duckdb' %}
        {% set there = run_query("select table_name from duckdb_tables() where database_name = 'vault' and schema_name = 'raw'").columns[0].values() %}
        {% set wanted = ['audit_log', 'last_run', 'made_relations'] %}
        {% for source in graph.sources.values() if source.source_name == 'raw' %}
            {% do wanted.append(source.identifier) %}
        {% endfor %}
        {% for name in wanted if name not in there %}
            {% do exceptions.raise_compiler_error("The vault was made by an older version: it lacks the table " ~ name ~ ". Run 'consonance load' first.") %}
        {% endfor %}
    {% endif %}
{% endmacro %}
