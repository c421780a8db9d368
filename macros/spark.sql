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
    {% if execute and is_on_spark() and flags.WHICH in ['run', 'build', 'test', 'compile', 'show'] %}
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

{# Functions of DuckDB that bodies of functions/ and models call. Patterns of RE2 are read as macros/track_names.sql says. #}
{% macro spark_dialect() %}
    {% set pattern = "replace(replace(pattern, '(?i)', '(?iu)'), '\\\\b', '" ~ ascii_boundary() ~ "')" %}
    {{ return([
        'create or replace function starts_with(text_value string, beginning string) returns boolean return startswith(text_value, beginning)',
        "create or replace function regexp_matches(text_value string, pattern string) returns boolean return text_value rlike concat('(?d)', " ~ pattern ~ ")",
        "create or replace function regexp_full_match(text_value string, pattern string) returns boolean return text_value rlike concat('(?d)^(?:', " ~ pattern ~ ", ')\\\\z')",
        'create or replace function make_timestamp_ms(ms bigint) returns timestamp_ntz return cast(timestamp_millis(ms) as timestamp_ntz)',
        'create or replace function edit_distance(one string, other string) returns int return ' ~ spark_edit_distance(),
    ]) }}
{% endmacro %}

{# Damerau's and Levenshtein's distance of the bytes of two texts, as damerau_levenshtein() of DuckDB has it, as far as it is
   at most 2. The rows of their table are made one after the other, of the three before: an exchange of neighbours may
   have one letter between them. Source: Lowrance and Wagner, An Extension of the String-to-String Correction Problem (1975). #}
{% macro spark_edit_distance() -%}
    {%- set letters = "split(decode(encode({}, 'UTF-8'), 'ISO-8859-1'), '')" -%}
    {%- set a, b = letters.format('one'), letters.format('other') -%}
    case
        when one is null or other is null then null
        when one = other then 0
        when one = '' or other = '' then greatest(octet_length(one), octet_length(other))
        else transform(array(named_struct('a', {{ a }}, 'b', {{ b }})), texts -> aggregate(
            sequence(1, size(texts.a)),
            named_struct('last', sequence(0, size(texts.b)), 'before', cast(array() as array<int>), 'third', cast(array() as array<int>)),
            (rows, i) -> named_struct(
                'last', aggregate(
                    sequence(1, size(texts.b)),
                    array(i),
                    (made, j) -> concat(made, array(least(
                        get(rows.last, j) + 1,
                        get(made, j - 1) + 1,
                        get(rows.last, j - 1) + case when get(texts.a, i - 1) = get(texts.b, j - 1) then 0 else 1 end,
                        case when get(texts.a, i - 2) = get(texts.b, j - 1) and get(texts.a, i - 1) = get(texts.b, j - 2) then get(rows.before, j - 2) + 1 end,
                        case when get(texts.a, i - 3) = get(texts.b, j - 1) and get(texts.a, i - 1) = get(texts.b, j - 2) then get(rows.third, j - 2) + 2 end,
                        case when get(texts.a, i - 2) = get(texts.b, j - 1) and get(texts.a, i - 1) = get(texts.b, j - 3) then get(rows.before, j - 3) + 2 end
                    )))
                ),
                'before', rows.last,
                'third', rows.before
            ),
            rows -> get(rows.last, size(texts.b))
        ))[0]
    end
{%- endmacro %}

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
