-- Do positive and negative affect (PANAS) differ with the listening time in the three hours before a report?
-- One row is one range of listening time.
with emotion_windows as (select * from {{ ref('emotion_windows') }}),

ranged as (
    select
        case
            when ms_played = 0 then '0: none'
            when ms_played < 30 * 60000 then '1: under 30 minutes'
            when ms_played < 60 * 60000 then '2: 30 to 60 minutes'
            else '3: over an hour'
        end as listening_before,
        participant_id,
        reported_positive_affect,
        reported_negative_affect
    from emotion_windows
    where
        emotion_window = 'before_180m'
        and instrument = 'panas'
        and coalesce(reported_positive_affect, reported_negative_affect) is not null
),

affects as (
    select
        listening_before,
        count(*) as reports,
        count(distinct participant_id) as participants,
        round(avg(reported_positive_affect), 1) as mean_positive_affect,
        round(avg(reported_negative_affect), 1) as mean_negative_affect
    from ranged
    group by listening_before
)

select * from affects
order by listening_before
