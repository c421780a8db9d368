-- relation: warehouse.audit.row_accounting
-- what: For every person, the rows of audit.row_accounting add up to the landed rows.
-- example: 41,418 rows were landed, but only 41,417 have a fate (the column that says why a row is kept or left out).
-- why: A row without a fate was lost on the way.
-- remedy: Run 'dbt run'. If the rule still fails, look at models/intermediate/int_play_accounting.sql and int_play_fates.sql.
with landed as (
    select keyring.pseudonym, sum(members.landed) as rows
    from vault.raw.members
    inner join vault.raw.keyring on keyring.participant_no = members.participant_no
    where members.landed > 0
    group by keyring.pseudonym
),
accounted as (
    select participant_id, sum(rows) as rows from warehouse.audit.row_accounting as accounting group by participant_id
),
expected as (
    select coalesce(accounted.participant_id, 'no active consent') as participant_id, sum(landed.rows) as rows
    from landed
    left join accounted on accounted.participant_id = landed.pseudonym
    group by 1
)
select 'audit.row_accounting.rows' as place
from expected
full outer join accounted on accounted.participant_id = expected.participant_id
where expected.rows is distinct from accounted.rows
