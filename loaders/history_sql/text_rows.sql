{# Set rows aside in which every value is a text, as JavaScript's String() writes it: each as the JSON of its kind would have
   given it. What is no flag or no number where one belongs stays a text, and is judged as such. #}
create or replace temp table text_rows as
with keyed as (
    select map_entries(fields) as entries, fault
    from {{ rows }}
)

select
    map_from_entries(
        list_transform(
            entries,
            lambda field : {
                key: field.key,
                value: case
                    when json_type(field.value) <> 'VARCHAR' then field.value
                    when field.value ->> '$' in ('null', 'undefined', 'NaN') then cast('null' as json)
                    when
                        list_contains($number_keys, field.key)
                        and regexp_full_match(field.value ->> '$', '-?(0|[1-9][0-9]*)([.][0-9]+)?')
                        then cast(field.value ->> '$' as json)
                    when
                        list_contains($flag_keys, field.key) and lower(field.value ->> '$') in ('true', 'false')
                        then cast(lower(field.value ->> '$') as json)
                    else field.value
                end
            }
        )
    ) as fields,
    fault
from keyed
