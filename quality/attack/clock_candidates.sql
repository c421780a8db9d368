-- One row is one person and one number of weeks by which the person may have been shifted, as far as
-- changes of the clock tell: local and elapsed time part only where the zone's clock changes, and the
-- country names the zone. Who withholds the country may be in any zone of the study.
with participants as (select * from warehouse.marts.participants),

plays as (select * from warehouse.marts.plays),

targets as (select * from temp.targets),

country_time_zones as (select * from temp.country_time_zones),

-- Days on which the clock changes say which of two offsets it was by the hour; the days around suffice.
days as (
    select
        targets.person,
        cast(floor(epoch_ms(plays.started_at_local) / 86400000.0) as integer) as day,
        min(epoch_ms(plays.started_at_local) - plays.started_elapsed_ms) as ahead_ms
    from plays
    inner join targets on plays.participant_id = targets.participant_id
    group by targets.person, day
    having min(epoch_ms(plays.started_at_local) - plays.started_elapsed_ms) = max(epoch_ms(plays.started_at_local) - plays.started_elapsed_ms)
),

neighbours as (
    select
        *,
        lag(ahead_ms) over (partition by person order by day) as ahead_ms_before,
        lead(ahead_ms) over (partition by person order by day) as ahead_ms_after,
        lag(day) over (partition by person order by day) as day_before
    from days
),

-- The first and last day of each stretch without a change, and one day every four weeks.
telling_days as (
    select
        person,
        day,
        ahead_ms
    from neighbours
    where
        ahead_ms_before is distinct from ahead_ms
        or ahead_ms_after is distinct from ahead_ms
        or day // 28 <> day_before // 28
),

zones as (
    select distinct country_time_zones.time_zone
    from participants
    inner join country_time_zones on participants.country = country_time_zones.country
),

person_zones as (
    select
        targets.person,
        zones.time_zone
    from targets
    left join participants on targets.participant_id = participants.participant_id
    left join country_time_zones on participants.country = country_time_zones.country
    inner join zones on coalesce(country_time_zones.time_zone, zones.time_zone) = zones.time_zone
),

weeks as (
    select cast(weeks as integer) as weeks
    from unnest(range(-getvariable('max_shift_weeks'), getvariable('max_shift_weeks') + 1)) as whole (weeks)
    where weeks <> 0
),

supposed as (
    select
        telling_days.person,
        person_zones.time_zone,
        weeks.weeks,
        telling_days.day - 7 * weeks.weeks as true_day,
        telling_days.ahead_ms
    from telling_days
    inner join person_zones on telling_days.person = person_zones.person
    cross join weeks
),

zone_days as (
    select distinct
        time_zone,
        true_day
    from supposed
),

midnights as (
    select
        *,
        make_timestamp_ms(cast(true_day as bigint) * 86400000) as begins,
        make_timestamp_ms(cast(true_day as bigint) * 86400000 + 86399999) as ends
    from zone_days
),

steady_days as (
    select
        time_zone,
        true_day,
        epoch_ms(begins) - epoch_ms(timezone(time_zone, begins)) as offset_ms
    from midnights
    where epoch_ms(ends) - epoch_ms(begins) = epoch_ms(timezone(time_zone, ends)) - epoch_ms(timezone(time_zone, begins))
),

fits as (
    select
        supposed.person,
        supposed.time_zone,
        supposed.weeks
    from supposed
    inner join steady_days
        on supposed.time_zone = steady_days.time_zone and supposed.true_day = steady_days.true_day
    group by supposed.person, supposed.time_zone, supposed.weeks
    having min(supposed.ahead_ms - steady_days.offset_ms) = max(supposed.ahead_ms - steady_days.offset_ms)
),

candidates as (
    select distinct
        person,
        weeks
    from fits
)

select * from candidates
