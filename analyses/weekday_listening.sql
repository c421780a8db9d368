-- On which days of the week do people listen? One row is one weekday. Shifted dates keep their weekday.
with daily_listening as (select * from {{ ref('daily_listening') }}),

personal as (
    select
        participant_id,
        dayofweek(local_date) as weekday_no,
        avg(ms_played) / 60000 as minutes,
        avg(sessions) as sessions
    from daily_listening
    group by participant_id, dayofweek(local_date)
),

weekdays as (
    select
        weekday_no,
        count(*) as participants,
        round(avg(minutes), 1) as mean_minutes_on_listening_days,
        round(avg(sessions), 2) as mean_sessions
    from personal
    group by weekday_no
)

select * from weekdays
order by weekday_no
