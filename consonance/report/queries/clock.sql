-- One row is one cell of the week, and what share of a person's plays began in it: the mean over the persons.
-- Only plays of at least 30 seconds count. Plays abroad are left out: their local time is that of home.
-- Cells of few persons are one row without day and hour.
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
),

sizes as (
    select
        day,
        hour,
        count(*) as persons
    from personal
    group by day, hour
),

placed as (
    select
        personal.participant_id,
        personal.day as day_of_cell,
        personal.hour as hour_of_cell,
        case when sizes.persons > getvariable('small_group') then personal.day end as day,
        case when sizes.persons > getvariable('small_group') then personal.hour end as hour,
        personal.plays,
        personal.share
    from personal
    inner join sizes on personal.day = sizes.day and personal.hour = sizes.hour
),

cells as (
    select
        day,
        hour,
        count(distinct (day_of_cell, hour_of_cell)) as cells,
        count(distinct participant_id) as persons,
        cast(sum(plays) as bigint) as plays,
        sum(share) / (select count(distinct participant_id) from personal) as mean_share
    from placed
    group by day, hour
)

select * from cells
order by day, hour
