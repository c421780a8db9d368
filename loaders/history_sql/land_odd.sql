{# Insert the odd rows that have no reason against them. #}
insert into vault.raw.{{ kind.table }} by name
select
    $participant_no as participant_no,
    $member_id as member_id,
    row_no,
    {{ origin }},
    {{ landed_columns | join(', ') }}
from odd_rows
where reason is null
