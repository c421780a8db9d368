{# Set rows aside in which every value is a text, as JavaScript's String() writes it: each as the JSON of its kind would have
   given it. What is no flag or no number where one belongs stays a text, and is judged as such. Values are compared as the
   JSON they are, with its quotation marks: to unpack each of them costs as much as all the rest. #}
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
                    when cast(field.value as varchar) in ('"null"', '"undefined"', '"NaN"') then null
                    when
                        (
                            list_contains($number_keys, field.key)
                            and regexp_full_match(cast(field.value as varchar), '"-?(0|[1-9][0-9]*)([.][0-9]+)?"')
                        )
                        or (
                            list_contains($flag_keys, field.key)
                            and lower(cast(field.value as varchar)) in ('"true"', '"false"')
                        )
                        then cast(lower(trim(cast(field.value as varchar), '"')) as json)
                    else field.value
                end
            }
        )
    ) as fields,
    fault
from keyed
