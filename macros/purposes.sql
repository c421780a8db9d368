{# What each model right of the wall says in its meta: `purposes`, from a purpose (or several of which one is
   enough, "a or b") to the rows that need it, `true` for all; or `no_persons`, and why. #}
{% macro declared_purposes() %}
    {% set declared = [] %}
    {% if execute %}
        {% for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model') | sort(attribute='name') if is_right_of_the_wall(node) %}
            {% for purpose, condition in (node.config.meta.get('purposes') or {}).items() %}
                {% do declared.append({
                    'node': node,
                    'relation': node.schema ~ '.' ~ node.alias,
                    'purpose': purpose,
                    'condition': 'true' if condition is sameas true else condition,
                }) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {{ return(declared) }}
{% endmacro %}

{# One row for each relation and purpose that is declared. #}
{% macro purposes_as_rows() -%}
    {%- for one in declared_purposes() %}
    select
        '{{ one.relation }}' as relation,
        '{{ one.purpose }}' as purpose,
        '{{ one.condition | replace("'", "''") }}' as condition
    {{- '\n    union all' if not loop.last }}
    {%- else %}
    select
        cast(null as string) as relation,
        cast(null as string) as purpose,
        cast(null as string) as condition
    {%- endfor %}
{%- endmacro %}

{# Stops dbt unless the model that is compiled depends on the other. #}
{% macro refuse_to_come_before(node) %}
    {%- if node.unique_id not in model.depends_on.nodes %}
        {%- do exceptions.raise_compiler_error(model.name ~ " must be made after " ~ node.name ~ ": name it in its 'depends_on' lines.") %}
    {%- endif %}
{%- endmacro %}

{# One row for each relation, purpose and participant: how many rows of theirs need it. Every relation must be
   among the models that the calling model depends on, so that it is made before. #}
{% macro rows_by_purpose() -%}
    {%- for one in declared_purposes() %}
    {{- refuse_to_come_before(one.node) }}
    select
        '{{ one.relation }}' as relation,
        '{{ one.purpose }}' as purpose,
        participant_id,
        count(*) as row_count
    from {{ one.node.relation_name }}
    where {{ one.condition }}
    group by participant_id
    {{- '\n    union all' if not loop.last }}
    {%- else %}
    select
        cast(null as string) as relation,
        cast(null as string) as purpose,
        cast(null as string) as participant_id,
        0 as row_count
    {%- endfor %}
{%- endmacro %}

{# One row for each participant and each declared purpose that they grant, of several at least one. #}
{% macro grants_by_purpose(relation) -%}
    {%- for purpose in declared_purposes() | map(attribute='purpose') | unique | sort %}
    select
        participant_id,
        '{{ purpose }}' as purpose
    from {{ relation }}
    where grants_{{ purpose.split(' or ') | join(' or grants_') }}
    {{- '\n    union all' if not loop.last }}
    {%- else %}
    select
        participant_id,
        cast(null as string) as purpose
    from {{ relation }}
    {%- endfor %}
{%- endmacro %}
