-- relation: vault.raw.rejected_rows
-- what: Of a row that could not be landed the vault keeps the listed fields, and nothing else.
-- example: A rejected row that was kept whole, with the IP address and the user agent in it.
-- why: What is not needed is not kept (data minimisation; D1), also of a row that is broken.
-- remedy: Look at listed_fields in loaders/history_sql/reject_odd.sql, and load into a new vault.
select 'raw.rejected_rows.listed_fields' as place, 'has a field that is not listed' as detail, member_id, row_no
from (
    select member_id, row_no, unnest(json_keys(try_cast(listed_fields as json))) as key
    from vault.raw.rejected_rows
) as kept
where not list_contains({{ listed_keys }}, key)
