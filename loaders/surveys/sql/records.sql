{# The lines of a file that count, as the map reads them: whose they are, their moments as text, and whether the
   questionnaire was finished (null: the moment of the answer says it). #}
{% macro moment(column) -%}
    {%- if column -%}
        case when trim({{ column }}) not in ('', {{ no_moment }}) then trim({{ column }}) end
    {%- else -%}
        cast(null as varchar)
    {%- endif -%}
{%- endmacro %}
insert into survey_records by name
with lines as (
    select
        {{ map_no }} as map_no,
        cast(line as integer) as line,
        nullif(trim({{ participant }}), '') as participant_code,
        {%- for name in ('prompted', 'opened', 'answered', 'expires') %}
        {{ moment(moments.get(name)) }} as {{ name }},
        {%- endfor %}
        {# An offset of 0 is an offset. #}
        {%- if offset_column %}
        nullif(trim({{ offset_column }}), '') as offset_s,
        {%- else %}
        cast(null as varchar) as offset_s,
        {%- endif %}
        {%- if finished %}
        coalesce(list_contains(cast($finished_words as varchar[]), lower(trim({{ finished }}))), false) as is_finished
        {%- else %}
        cast(null as boolean) as is_finished
        {%- endif %}
    from side_rows
    where
        true
        {%- for column in only %}
        and coalesce(list_contains(cast($only_{{ loop.index }} as varchar[]), lower(trim({{ column }}))), list_contains(cast($only_{{ loop.index }} as varchar[]), ''))
        {%- endfor %}
)

select
    * replace (nullif(answered, {{ begun }}) as answered),
    coalesce(answered = {{ begun }}, false) as is_begun
from lines
