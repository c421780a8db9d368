-- One row is one change of a zone's clock, in UTC, and what the clock showed beyond UTC before and after it: in
-- all the time in which the sessions may have been. Looked for on quarters of an hour.
with clock_zones as (select * from temp.clock_zones),

seen_sessions as (select * from temp.seen_sessions),

zones as (
    select distinct time_zone
    from clock_zones
),

spans as (
    select
        cast(floor(min(started_ms) / 86400000.0) as bigint) - 7 * getvariable('max_shift_weeks') - 8 as first_day,
        cast(floor(max(ended_ms) / 86400000.0) as bigint) + 7 * getvariable('max_shift_weeks') + 8 as last_day
    from seen_sessions
),

-- No clock has changed back within a week since 1995: in six days, and in six hours of these, it changes once or not at all.
six_days as (
    select
        zones.time_zone,
        unnest(range(spans.first_day, spans.last_day, 6)) * 86400000 as begins_ms
    from zones
    cross join spans
),

six_hours as (
    select
        time_zone,
        begins_ms + 21600000 * unnest(range(24)) as begins_ms
    from six_days
    where
        {{ zone_offset_ms('time_zone', 'begins_ms') }}
        <> {{ zone_offset_ms('time_zone', 'begins_ms + 518400000') }}
),

quarters as (
    select
        time_zone,
        begins_ms + 900000 * unnest(range(1, 25)) as changed_ms
    from six_hours
    where
        {{ zone_offset_ms('time_zone', 'begins_ms') }}
        <> {{ zone_offset_ms('time_zone', 'begins_ms + 21600000') }}
),

changes as (
    select
        time_zone,
        changed_ms,
        {{ zone_offset_ms('time_zone', 'changed_ms - 1') }} as offset_before_ms,
        {{ zone_offset_ms('time_zone', 'changed_ms') }} as offset_after_ms
    from quarters
),

real_changes as (
    select *
    from changes
    where offset_before_ms <> offset_after_ms
)

select * from real_changes
