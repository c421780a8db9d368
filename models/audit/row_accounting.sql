-- One row is one participant, history source and fate: how many landed rows have it. The sum over the
-- fates is the number of landed rows.
with anon_row_accounting as (select * from {{ ref('anon_row_accounting') }}),

accounted as (
    select
        participant_id,
        history_source,
        fate,
        landed_rows as rows
    from anon_row_accounting
)

select * from accounted
