{# What the list of kept contents gets of a content that is kept; see int_extended_duplicates. #}
{% macro content_marks(relation='ordered_contents') -%}
    {%- set uri = "'u' || " ~ relation ~ ".content_uri" -%}
    {%- set name = "'n' || " ~ relation ~ ".content_name" -%}
    {%- set deciding_name = "'t' || " ~ relation ~ ".content_name" -%}
    case
        when {{ relation }}.content_uri is null then {{ array_of([name, deciding_name]) }}
        when {{ relation }}.is_fully_named then {{ array_of([uri, name, deciding_name]) }}
        when {{ relation }}.content_name is null then {{ array_of([uri]) }}
        else {{ array_of([uri, name]) }}
    end
{%- endmacro %}

{# Whether a content is the same play as one kept before it; see int_extended_duplicates. #}
{% macro is_same_as_kept(relation) -%}
    case
        when {{ relation }}.content_uri is null then array_contains(decided.kept, 'n' || {{ relation }}.content_name)
        else
            array_contains(decided.kept, 'u' || {{ relation }}.content_uri)
            or coalesce(array_contains(decided.kept, 't' || {{ relation }}.content_name), false)
    end
{%- endmacro %}
