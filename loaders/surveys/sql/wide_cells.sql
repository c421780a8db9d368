{# Every answer of a table with one questionnaire a line: each column of an item is one. #}
insert into survey_cells by name
with cells as (
    select
        line,
        unnest([
            {%- for place, column in items.items() %}
            {'place': {{ place }}, 'answer': trim({{ column }})}{{ ',' if not loop.last }}
            {%- endfor %}
        ]) as cell
    from side_rows
)

select
    {{ map_no }} as map_no,
    cast(cells.line as integer) as line,
    cell.place,
    survey_items.instrument,
    survey_items.item,
    cell.answer as answer_text,
    survey_items.added,
    survey_items.labels
from cells
inner join survey_items on cell.place = survey_items.place
where cell.answer <> '' and not list_contains(cast($missing as varchar[]), lower(cell.answer))
