-- One row is one session, one zone and one number of weeks that would put a change of the clock into the session or
-- the short pause after it: whether that is possible. Sessions begin at no time that does not exist, and
-- between two of them there is more than the gap that ends one. With `needs_change` the pause is shorter than
-- that by local time: a change must lie there; `weeks` is null where none can.
with seen_sessions as (select * from temp.seen_sessions),

clock_zones as (select * from temp.clock_zones),

zone_changes as (select * from temp.zone_changes),

-- Clocks change by two hours at most: a longer pause allows for every change.
paused as (
    select
        *,
        case when next_started_ms - ended_ms <= gap_ms + 7200000 then next_started_ms end as soon_started_ms,
        coalesce(next_started_ms - ended_ms <= gap_ms, false) as needs_change
    from seen_sessions
),

spans as (
    select
        *,
        least(started_ms, coalesce(soon_started_ms, started_ms)) as first_ms,
        greatest(ended_ms, coalesce(soon_started_ms, ended_ms)) as last_ms
    from paused
),

-- Only what is at the same hour of the week as a change can be moved there by whole weeks.
span_hours as (
    select
        person,
        session_id,
        unnest(range(first_ms // 3600000, last_ms // 3600000 + 1)) % 168 as hour_of_week
    from spans
),

change_hours as (
    select
        time_zone,
        changed_ms,
        unnest(range(
            (changed_ms + least(offset_before_ms, offset_after_ms)) // 3600000,
            (changed_ms + greatest(offset_before_ms, offset_after_ms) - 1) // 3600000 + 1
        )) % 168 as hour_of_week
    from zone_changes
),

meetings as (
    select distinct
        span_hours.person,
        span_hours.session_id,
        change_hours.time_zone,
        change_hours.changed_ms
    from clock_zones
    inner join change_hours on clock_zones.time_zone = change_hours.time_zone
    inner join span_hours on clock_zones.person = span_hours.person and change_hours.hour_of_week = span_hours.hour_of_week
),

weeks_apart as (
    select
        spans.*,
        zone_changes.*,
        cast(floor(
            (spans.last_ms - zone_changes.changed_ms - least(zone_changes.offset_before_ms, zone_changes.offset_after_ms)) / 604800000.0
        ) as integer) as weeks
    from meetings
    inner join spans on meetings.person = spans.person and meetings.session_id = spans.session_id
    inner join zone_changes on meetings.time_zone = zone_changes.time_zone and meetings.changed_ms = zone_changes.changed_ms
),

supposed as (
    select
        *,
        -- Moments in UTC, by the clock before and by the clock after the change, if that clock ever showed it.
        case when true_started_ms - offset_before_ms < changed_ms then true_started_ms - offset_before_ms end as before_ms,
        case when true_started_ms - offset_after_ms >= changed_ms then true_started_ms - offset_after_ms end as after_ms,
        case when true_soon_ms - offset_before_ms < changed_ms then true_soon_ms - offset_before_ms end as soon_before_ms,
        case when true_soon_ms - offset_after_ms >= changed_ms then true_soon_ms - offset_after_ms end as soon_after_ms
    from (
        select
            *,
            started_ms - cast(weeks as bigint) * 604800000 as true_started_ms,
            soon_started_ms - cast(weeks as bigint) * 604800000 as true_soon_ms
        from weeks_apart
    )
    where
        weeks between -getvariable('max_shift_weeks') and getvariable('max_shift_weeks')
        and first_ms - cast(weeks as bigint) * 604800000 < changed_ms + greatest(offset_before_ms, offset_after_ms)
),

judged as (
    select
        person,
        session_id,
        time_zone,
        weeks,
        -- Of an hour that is there twice, the first for the session and the second for the next leave most room.
        coalesce(
            coalesce(before_ms, after_ms) is not null
            and (
                soon_started_ms is null
                or coalesce(soon_after_ms, soon_before_ms) - coalesce(before_ms, after_ms) - (ended_ms - started_ms) > gap_ms
            ),
            false
        ) as is_possible
    from supposed
),

tests as (
    select
        paused.person,
        paused.session_id,
        paused.needs_change,
        judged.time_zone,
        judged.weeks,
        judged.is_possible
    from paused
    left join judged on paused.person = judged.person and paused.session_id = judged.session_id
    where paused.needs_change or judged.weeks is not null
)

select * from tests
