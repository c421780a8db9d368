{# The fold of a participant, 0 to 4, by a hash of their pseudonym: the same whatever else is in the data. #}
{% macro fold_of(participant_id) -%}
    {{ return(adapter.dispatch('fold_of', 'consonance')(participant_id)) }}
{%- endmacro %}

{% macro duckdb__fold_of(participant_id) -%}
    cast((md5_number_lower({{ participant_id }}) >> 1) % 5 as integer)
{%- endmacro %}

{% macro spark__fold_of(participant_id) -%}
    cast({{ spark__text_digest(participant_id) }} % 5 as integer)
{%- endmacro %}
