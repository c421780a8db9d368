{# Rows right of the wall are stored in an order that reveals nothing beside what the rows say: by pseudonym,
   then by time, then by every other column. The order in which a query happens to give them reveals in which
   order people were enrolled or loaded. It stands here, and in no model, so that no model can forget it. #}
{% macro duckdb__create_table_as(temporary, relation, compiled_code, language='sql', partitioned_by=none, sorted_by=none) -%}
    {%- if temporary -%}
        {{- return(dbt.duckdb__create_table_as(temporary, relation, compiled_code, language, partitioned_by, sorted_by)) -}}
    {%- endif -%}
    {%- set sql = in_row_order(compiled_code) if relation.database == target.database else compiled_code -%}
    {%- if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
        create or replace table {{ relation }} {{ get_table_columns_and_constraints() }};
        insert into {{ relation }} {{ get_column_names() }} (
            {{ get_select_subquery(sql) }}
        )
    {%- else -%}
        create or replace table {{ relation }} as (
{{ sql }}
        )
    {%- endif -%}
{%- endmacro %}

{% macro in_row_order(sql) -%}
    {%- set persons, times, others = [], [], [] -%}
    {%- for name in model.columns -%}
        {%- set is_time = name.endswith('_at_local') or name.endswith('_date') -%}
        {%- do (persons if name == 'participant_id' else times if is_time else others).append(name) -%}
    {%- endfor -%}
    select *
    from (
{{ sql }}
    ) as unordered
    order by {{ (persons + times + others) | join(', ') or 'all' }}
{%- endmacro %}
