-- One row is one UTC day in one participant's zone: how far its clock is ahead of UTC, all day long.
-- Days on which that changes are left out; times on them are converted one by one.
with int_listeners as (select * from {{ ref('int_listeners') }}),

stg_study as (select * from {{ ref('stg_study') }}),

zones as (
    select distinct time_zone
    from int_listeners
),

days as (
    select days.number as utc_day
    from {{ whole_numbers((var('zone_days_from_year') - 1970) * 365, (var('zone_days_from_year') - 1970 + 45) * 366) }} as days
    cross join stg_study
    where days.number <= {{ epoch_day('stg_study.as_of_ms') }} + 1
),

offsets as (
    select
        zones.time_zone,
        days.utc_day,
        {{ zone_offset_ms('zones.time_zone', 'cast(days.utc_day as bigint) * 86400000') }} as offset_ms,
        {{ zone_offset_ms('zones.time_zone', 'cast(days.utc_day as bigint) * 86400000 + 86399999') }} as last_offset_ms
    from zones
    cross join days
),

steady as (
    select
        time_zone,
        utc_day,
        offset_ms
    from offsets
    where offset_ms = last_offset_ms
)

select * from steady
