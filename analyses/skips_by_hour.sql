-- At which hours of the day do people skip? One row is one hour of the day, in the participants' local time.
-- Rates are means over participants, so that heavy listeners do not count more than others. Plays abroad are left
-- out, because their local time is that of home.
with plays as (select * from {{ ref('plays') }}),

personal as (
    select
        participant_id,
        extract(hour from started_at_local) as hour_of_day,
        count(*) as plays,
        avg(case when is_skip then 1.0 else 0.0 end) as skip_rate
    from plays
    where
        is_skip is not null
        and coalesce(is_abroad, false) = false
    group by participant_id, extract(hour from started_at_local)
),

hours as (
    select
        hour_of_day,
        count(*) as participants,
        sum(plays) as plays,
        round(avg(skip_rate), 3) as mean_skip_rate
    from personal
    where plays >= 20
    group by hour_of_day
)

select * from hours
order by hour_of_day
