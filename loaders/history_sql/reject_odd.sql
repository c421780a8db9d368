{# Keep the odd rows that have one, with what their listed fields held. By key, not by entry: a key that is in a row
   twice would make no map. #}
insert into vault.raw.rejected_rows by name
select
    $participant_no as participant_no,
    $member_id as member_id,
    row_no,
    reason,
    left(
        cast(
            to_json(
                map_from_entries(
                    list_transform(
                        list_filter($listed_keys, lambda key : list_contains(keys, key)),
                        lambda key : {key: key, value: fields[key]}
                    )
                )
            ) as varchar
        ),
        {{ kept_reject_chars }}
    ) as listed_fields
from odd_rows
where reason is not null
