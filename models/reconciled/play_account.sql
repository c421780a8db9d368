-- One row is one participant, history source and fate: how many landed rows met it, and when the
-- first of them began.
with play_fates as (select * from {{ ref('play_fates') }}),

counted as (
    select
        participant_no,
        history_source,
        fate,
        count(*) as landed_rows,
        min(started_ms) as first_started_ms
    from play_fates
    group by participant_no, history_source, fate
)

select * from counted
