-- One row is one participant, history source and fate: how many landed rows have it, and when the
-- first of them began (unknown for erased rows).
with int_play_fates as (select * from {{ ref('int_play_fates') }}),

stg_erased_rows as (select * from {{ ref('stg_erased_rows') }}),

counted as (
    select
        participant_no,
        history_source,
        fate,
        count(*) as landed_rows,
        min(started_ms) as first_started_ms
    from int_play_fates
    group by participant_no, history_source, fate
),

erased as (
    select
        participant_no,
        history_source,
        'erased' as fate,
        sum(erased_rows) as landed_rows,
        cast(null as bigint) as first_started_ms
    from stg_erased_rows
    group by participant_no, history_source
),

accounted as (
    select * from counted
    union all
    select * from erased
)

select * from accounted
