{# What a run on Spark begins with (`--target spark`, docs/spark.md): the tables of an export of the vault under the names
   of the stores, the functions of DuckDB that the SQL of this project calls, and the declassifiers. #}

{% macro is_on_spark() %}
    {{ return(target.type == 'spark') }}
{% endmacro %}

{# Whether a model is right of the wall: in the warehouse, and not in the vault. #}
{% macro is_right_of_the_wall(node) %}
    {{ return(node.schema not in ['staging', 'intermediate'] if is_on_spark() else node.database == target.database) }}
{% endmacro %}

{% macro begin_on_spark() %}
    {% if execute and is_on_spark() and flags.WHICH in ['run', 'build'] %}
        {% do refuse_other_variables() %}
        {% for schema in ['raw', 'music', 'reference', 'declassify', 'features'] %}
            {% do run_query('create schema if not exists ' ~ schema) %}
        {% endfor %}
        {% set export = env_var('CONSONANCE_EXPORT') %}
        {% for node in graph.sources.values() %}
            {% do run_query(exported_table(export, node.schema, node.identifier)) %}
        {% endfor %}
        {% for node in graph.nodes.values() if node.resource_type == 'seed' %}
            {% do run_query(exported_table(export, node.schema, node.alias)) %}
        {% endfor %}
        {% for statement in spark_dialect() %}
            {% do run_query(statement) %}
        {% endfor %}
        {% for node in graph.functions.values() %}
            {% do run_query(spark_function_sql(node.schema ~ '.' ~ node.name, node.arguments, node.returns.data_type, node.name, node.raw_code)) %}
        {% endfor %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') if node.config.meta.memory %}
            {% set columns = [] %}
            {% for column in node.columns.values() %}
                {% do columns.append(column.name ~ ' ' ~ spark_type(column.data_type)) %}
            {% endfor %}
            {% do run_query('create table if not exists ' ~ node.schema ~ '.' ~ node.alias ~ ' (' ~ columns | join(', ') ~ ')') %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro exported_table(export, schema, name) -%}
    create or replace view {{ schema }}.{{ name }} as select * from parquet.`{{ export }}/{{ schema }}/{{ name }}`
{%- endmacro %}

{% macro spark_type(data_type) -%}
    {%- set plain = data_type | lower -%}
    {%- if plain.endswith('[]') -%}
        array<{{ spark_type(plain[:-2]) }}>
    {%- else -%}
        {{ {'varchar': 'string', 'timestamp': 'timestamp_ntz', 'uuid': 'string'}.get(plain, plain) }}
    {%- endif -%}
{%- endmacro %}

{# Functions of DuckDB that bodies of functions/ call. Patterns of RE2 are read as macros/track_names.sql says. #}
{% macro spark_dialect() %}
    {% set pattern = "replace(replace(pattern, '(?i)', '(?iu)'), '\\\\b', '" ~ ascii_boundary() ~ "')" %}
    {{ return([
        'create or replace function starts_with(text_value string, beginning string) returns boolean return startswith(text_value, beginning)',
        "create or replace function regexp_matches(text_value string, pattern string) returns boolean return text_value rlike concat('(?d)', " ~ pattern ~ ")",
        "create or replace function regexp_full_match(text_value string, pattern string) returns boolean return text_value rlike concat('(?d)^(?:', " ~ pattern ~ ", ')\\\\z')",
        'create or replace function make_timestamp_ms(ms bigint) returns timestamp_ntz return cast(timestamp_millis(ms) as timestamp_ntz)',
    ]) }}
{% endmacro %}

{# A declassifier of functions/, with its body or, if DuckDB alone reads that, the second one. In a text of Spark's SQL a
   backslash is written twice. #}
{% macro spark_function_sql(name, arguments, returns, function, body) -%}
    create or replace function {{ name }}(
    {%- for argument in arguments %}{{ argument.name }} {{ spark_type(argument.data_type) }}{{ ', ' if not loop.last }}{% endfor -%}
    ) returns {{ spark_type(returns) }} return {{ spark_bodies().get(function, body | replace('\\', '\\\\')) }}
{%- endmacro %}

{% macro spark__scalar_function_sql(target_relation) -%}
    {{ spark_function_sql(target_relation.render(), model.arguments, model.returns.data_type, model.name, model.compiled_code) }}
{%- endmacro %}

{# The second bodies: of those functions that make a number of an MD5. They give the same values; tests/python/spark compares. #}
{% macro spark_bodies() %}
    {{ return({
        'record_pseudonym': spark__text_digest("secret || '|' || record"),
        'catalogue_identity': "case when regexp_full_match(content_uri, 'spotify:(track|episode|chapter|audiobook|show):[0-9A-Za-z]{22}') then "
            ~ spark__text_digest("'uri|' || content_uri") ~ " end",
        'track_identity': spark__text_digest(
            "case "
            ~ "when starts_with(content_uri, 'spotify:local:') then 'local|' || secret || '|' || content_uri "
            ~ "when content_uri is not null then 'uri|' || content_uri "
            ~ "when coalesce(title, creator) is null then null "
            ~ "when is_private then 'private|' || secret || '|' || coalesce(title, '') || chr(31) || coalesce(creator, '') "
            ~ "else 'names|' || coalesce(title, '') || chr(31) || coalesce(creator, '') end"
        ),
    }) }}
{% endmacro %}
