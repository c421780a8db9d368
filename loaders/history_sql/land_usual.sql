{# Insert the usual rows of a member. #}
insert into vault.raw.{{ kind.table }} by name
{% include 'usual_rows.sql' %}
select
    $participant_no as participant_no,
    $member_id as member_id,
    row_no - $rows_before as row_no,
    {{ origin }},
    {{ landed_columns | join(', ') }}
from usual_rows
where not is_odd
