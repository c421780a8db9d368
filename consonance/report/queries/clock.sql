-- One row is one participant and one cell of the week, and what share of their plays began in it.
-- Only plays of at least 30 seconds count. Plays abroad are left out: their local time is that of home.
with plays as (
    select
        participant_id,
        case getvariable('days')
            when 'weekday' then isodow(started_at_local)
            when 'part of week' then case when isodow(started_at_local) < 6 then 1 else 6 end
            else 0
        end as day,
        hour(started_at_local) // getvariable('hours') * getvariable('hours') as hour
    from marts.plays
    where is_counted and not coalesce(is_abroad, false)
),

personal as (
    select
        participant_id,
        day,
        hour,
        count(*) as plays,
        count(*) / sum(count(*)) over (partition by participant_id) as share
    from plays
    group by participant_id, day, hour
)

select * from personal
order by participant_id, day, hour
