{# The type of a feature's columns. #}
{% macro feature_type(feature) -%}
    {%- if feature == 'duration_ms' -%}
        bigint
    {%- elif feature in ['musical_key', 'mode', 'time_signature'] -%}
        smallint
    {%- else -%}
        decimal(9, 6)
    {%- endif -%}
{%- endmacro %}
