{# The rule of names: docs/numbers.md, "Private texts". It stands here alone. The SQL is portable, and the macros
   call nothing of dbt's: consonance/consent/rules.py renders them too, for SQL that runs beside dbt. #}

{# Whether texts are searched for a name: short ones, and numbers, are in many titles. #}
{% macro is_distinctive_name(name) -%}
    (length({{ name }}) >= 5 and translate({{ name }}, '0123456789', '') <> '')
{%- endmacro %}

{# Whether such a name is searched within a text too, and not only as the whole of it. #}
{% macro is_searched_within(name) -%}
    ({{ is_distinctive_name(name) }} and length({{ name }}) >= 8)
{%- endmacro %}

{# Whether a text without a catalogue URI holds a name. #}
{% macro holds_name(text, name) -%}
    (
        ({{ is_distinctive_name(name) }} and lower({{ text }}) = lower({{ name }}))
        or ({{ is_searched_within(name) }} and contains(lower({{ text }}), lower({{ name }})))
    )
{%- endmacro %}

{# Whether a URI names something in Spotify's catalogue, of one of these kinds. What it names has Spotify's own texts. #}
{% macro is_catalogue_uri(uri, kinds='track|episode|chapter|audiobook|show') -%}
    coalesce(regexp_replace({{ uri }}, '^spotify:({{ kinds }}):[0-9A-Za-z]{22}$', '') = '', false)
{%- endmacro %}
