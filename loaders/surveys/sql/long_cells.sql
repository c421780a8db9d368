{# Every answer of a table with one answer a line. What the map does not name keeps its name. #}
insert into survey_cells by name
with lines as (
    select
        cast(line as integer) as line,
        {%- if instrument %}
        lower(trim({{ instrument }})) as instrument,
        lower(trim({{ instrument }})) || '.' || lower(trim({{ item }})) as name,
        {%- else %}
        cast(null as varchar) as instrument,
        lower(trim({{ item }})) as name,
        {%- endif %}
        lower(trim({{ item }})) as item,
        nullif(trim({{ answer }}), '') as answer_text
    from side_rows
)

select
    {{ map_no }} as map_no,
    lines.line,
    0 as place,
    coalesce(survey_items.instrument, lines.instrument) as instrument,
    coalesce(survey_items.item, lines.item) as item,
    case when not list_contains(cast($missing as varchar[]), lower(lines.answer_text)) then lines.answer_text end as answer_text,
    coalesce(survey_items.added, of_items.added, of_instruments.added, 0) as added,
    coalesce(survey_items.labels, of_items.labels, of_instruments.labels, cast(map() as map(varchar, double))) as labels
from lines
left join survey_items on lines.name = survey_items.name
left join survey_recodings as of_items on lines.name = of_items.name
left join survey_recodings as of_instruments on lines.instrument = of_instruments.name
