{# Tables on Spark: made under another name, so that a model may read what it was before, then renamed. #}
{% materialization table, adapter='spark' %}
    {%- set relation = this.incorporate(type='table') -%}
    {%- set draft = api.Relation.create(schema=this.schema, identifier=this.identifier ~ '__' ~ invocation_id[:8], type='table') -%}
    {%- set before = adapter.get_relation(database=none, schema=this.schema, identifier=this.identifier) -%}
    {{ run_hooks(pre_hooks) }}
    {% call statement('main') -%}
        {{ create_table_as(False, draft, compiled_code) }}
    {%- endcall %}
    {#- A table that a hook laid out in this run is in none of dbt's lists. -#}
    {%- do run_query('drop ' ~ (before.type if before is not none else 'table') ~ ' if exists ' ~ relation) -%}
    {%- do run_query('alter table ' ~ draft ~ ' rename to ' ~ relation) -%}
    {{ run_hooks(post_hooks) }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{# Of a model with a contract the columns and types are those of its yml. Rows are in the order of macros/row_order.sql. #}
{% macro spark__create_table_as(temporary, relation, compiled_code, language='sql') -%}
    {%- set sql = in_row_order(compiled_code) if is_right_of_the_wall(model) else compiled_code -%}
    {%- if config.get('contract').enforced -%}
        {%- set declared = model.columns.values() | map(attribute='name') | list -%}
        {%- set found = get_columns_in_query(compiled_code) -%}
        {%- if declared | sort != found | sort -%}
            {%- do exceptions.raise_compiler_error(model.name ~ " has other columns than its yml declares: " ~ found | join(', ')) -%}
        {%- endif -%}
    {%- endif %}
    create table {{ relation }} as
    {%- if config.get('contract').enforced %}
    select
        {%- for column in model.columns.values() %}
        cast({{ column.name }} as {{ spark_type(column.data_type) }}) as {{ column.name }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
{{ sql }}
    ) as made
    {%- else %}
{{ sql }}
    {%- endif %}
{%- endmacro %}
