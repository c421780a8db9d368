-- relation: vault.raw.members
-- what: For every file, the rows in the vault and the rows erased after an amendment add up to the rows that were counted as landed.
-- example: A file was counted as 15,500 landed rows, but the vault has 15,400 of them.
-- why: Import programs are known to report success although rows were lost.
-- remedy: Restore the vault from a backup. Or move the vault away and load the inbox again.
with landed as (
    select member_id, count(*) as rows from vault.raw.extended_plays group by member_id
    union all
    select member_id, count(*) from vault.raw.account_plays group by member_id
    union all
    select member_id, erased_rows from vault.raw.erased_rows
),
counted as (
    select member_id, sum(rows) as rows from landed group by member_id
)
select 'raw.members.landed' as place, members.member_id
from vault.raw.members as members
left join counted on counted.member_id = members.member_id
where coalesce(counted.rows, 0) <> members.landed or members.rows_in <> members.landed + members.rejected
