{# Replace analysis.duckdb, which analysts open, by what a complete run has made. Of the relations that are named here
   consonance/study/desk.py writes those of marts, audit and reference. #}
{% macro write_desk() %}
    {% set relations = [] %}
    {% for node in graph.nodes.values() if node.resource_type in ['model', 'seed'] and node.database == target.database %}
        {% do relations.append(node.schema ~ '.' ~ node.alias) %}
    {% endfor %}
    {% do adapter.store_relation('dbt_plugin', none, [], '', '', {'relations': relations}) %}
{% endmacro %}
