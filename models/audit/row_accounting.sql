-- One row is one participant, history source and fate: how many landed rows met it. The sum over the
-- fates is the number of rows that were landed.
with row_account as (select * from {{ ref('anon_row_account') }}),

accounted as (
    select
        participant_id,
        history_source,
        fate,
        landed_rows as rows
    from row_account
)

select * from accounted
