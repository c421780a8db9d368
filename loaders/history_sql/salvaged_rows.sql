{# Set the rows aside that were split by loaders/json_rows.py: one text a row, or the fault found there. #}
create or replace temp table salvaged_rows as
with elements as (
    select unnest($texts::varchar[]) as element, unnest($faults::varchar[]) as fault
),

checked as (
    select
        element,
        case
            when fault is not null then fault
            when not json_valid(element) then 'invalid_json'
            when json_type(element) <> 'OBJECT' then 'not_an_object'
            when len(list_distinct(json_keys(element))) < len(json_keys(element)) then 'duplicate_key'
        end as fault
    from elements
)

select case when fault is null then from_json(element, '"MAP(VARCHAR, JSON)"') end as fields, fault
from checked
