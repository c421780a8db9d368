-- What was decided about the donated rows? One row is one history source and one fate. Rows of those without an active
-- consent are one sum; they are in it, but no row says of how many people they are: participants are the others.
with row_accounting as (select * from {{ ref('row_accounting') }}),

fates as (
    select
        history_source,
        fate,
        nullif(count(distinct nullif(participant_id, 'no active consent')), 0) as participants,
        sum(rows) as landed_rows,
        round(sum(rows) * 1.0 / sum(sum(rows)) over (partition by history_source), 4) as share
    from row_accounting
    group by history_source, fate
)

select * from fates
order by history_source, landed_rows desc
