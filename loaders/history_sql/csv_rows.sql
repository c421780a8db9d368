{# Set the rows of a CSV aside, each as the JSON of its kind would have given it. What is no flag or no number where
   one belongs stays a text, and is judged as such. #}
create or replace temp table salvaged_rows as
with lines as (
    from read_csv(
        '{{ address }}',
        all_varchar = true, header = true, delim = '{{ delimiter }}', quote = '"', escape = '"', nullstr = '',
        strict_mode = true, parallel = false
    )
),

keyed as (
    select map_entries(from_json(to_json(lines), '"MAP(VARCHAR, VARCHAR)"')) as entries
    from lines
)

select
    map_from_entries(
        list_transform(
            entries,
            lambda field : {
                key: field.key,
                value: cast(
                    case
                        when field.value is null then 'null'
                        when
                            list_contains($number_keys, field.key)
                            and regexp_full_match(field.value, '-?(0|[1-9][0-9]*)([.][0-9]+)?') then field.value
                        when list_contains($flag_keys, field.key) and lower(field.value) in ('true', 'false') then lower(field.value)
                        else cast(to_json(field.value) as varchar)
                    end as json
                )
            }
        )
    ) as fields,
    cast(null as varchar) as fault
from keyed
