{# Set the other rows of a member aside, as they are: odd_fields. #}
create or replace temp table odd_fields as
{% include 'usual_rows.sql' %}
select row_no - $rows_before as row_no, fields, fault, map_keys(fields) as keys
from usual_rows
where is_odd
