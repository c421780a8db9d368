-- One row is one emotion report, one zone and one number of weeks that would put a change of the clock between the
-- report and the plays around it: whether the windows before and after the report would then count what the marts
-- count. With `needs_change` they do not by local time; `weeks` is null where no change can explain that.
with targets as (select * from temp.targets),

seen_sessions as (select * from temp.seen_sessions),

clock_zones as (select * from temp.clock_zones),

zone_changes as (select * from temp.zone_changes),

plays as (select * from warehouse.marts.plays),

emotion_windows as (select * from warehouse.marts.emotion_windows),

windows as (
    select
        targets.person,
        emotion_windows.report_id,
        epoch_ms(emotion_windows.reported_at_local) as reported_ms,
        emotion_windows.direction,
        emotion_windows.window_minutes * 60000 as window_ms,
        emotion_windows.plays
    from emotion_windows
    inner join targets on emotion_windows.participant_id = targets.participant_id
    where emotion_windows.direction in ('before', 'after')
),

-- Every hour from two before the longest window to two after it: clocks change by two at most.
hours as (
    select
        person,
        report_id,
        reported_ms,
        unnest(range((reported_ms - max(window_ms)) // 3600000 - 2, (reported_ms + max(window_ms)) // 3600000 + 3)) as hour
    from windows
    group by person, report_id, reported_ms
),

-- By its end a play is before a report, by its start it is after it.
heard as (
    select
        seen_sessions.person,
        seen_sessions.started_ms as session_ms,
        'before' as direction,
        epoch_ms(plays.ended_at_local) as moment_ms
    from plays
    inner join seen_sessions on plays.session_id = seen_sessions.session_id
    union all
    select
        seen_sessions.person,
        seen_sessions.started_ms as session_ms,
        'after' as direction,
        epoch_ms(plays.started_at_local) as moment_ms
    from plays
    inner join seen_sessions on plays.session_id = seen_sessions.session_id
),

near as (
    select
        hours.person,
        hours.report_id,
        heard.session_ms,
        heard.direction,
        heard.moment_ms
    from hours
    inner join heard on hours.person = heard.person and hours.hour = heard.moment_ms // 3600000
),

recounted as (
    select
        windows.person,
        windows.report_id,
        windows.reported_ms,
        windows.direction,
        windows.window_ms,
        -- In a filter: as conditions of the join they make DuckDB compare every window with every moment.
        windows.plays <> count(near.moment_ms) filter (
            where abs(windows.reported_ms - near.moment_ms) <= windows.window_ms
            and (windows.reported_ms > near.moment_ms) = (windows.direction = 'before')
        ) as is_off
    from windows
    left join near
        on
            windows.report_id = near.report_id
            and windows.direction = near.direction
    group by windows.person, windows.report_id, windows.reported_ms, windows.direction, windows.window_ms, windows.plays
),

reports as (
    select
        person,
        report_id,
        reported_ms,
        bool_or(is_off) as needs_change
    from recounted
    group by person, report_id, reported_ms
),

spans as (
    select
        reports.*,
        least(reports.reported_ms, min(near.session_ms)) as first_ms,
        greatest(reports.reported_ms, max(near.session_ms)) as last_ms
    from reports
    left join near on reports.report_id = near.report_id
    group by reports.person, reports.report_id, reports.reported_ms, reports.needs_change
),

supposed as (
    select
        *,
        cast(floor((last_ms - changed_ms - least(offset_before_ms, offset_after_ms)) / 604800000.0) as integer) as weeks
    from spans
    inner join clock_zones on spans.person = clock_zones.person
    inner join zone_changes on clock_zones.time_zone = zone_changes.time_zone
    where
        weeks between -getvariable('max_shift_weeks') and getvariable('max_shift_weeks')
        and first_ms - cast(weeks as bigint) * 604800000 < changed_ms + greatest(offset_before_ms, offset_after_ms)
),

-- Of an hour that is there twice, the report and the session may each be in the first or in the second.
choices as (
    select
        is_report_first,
        is_session_first
    from (values (true), (false)) as reports (is_report_first)
    cross join (values (true), (false)) as sessions (is_session_first)
),

-- Moments in UTC, by the clock before and by the clock after the change, if that clock ever showed it.
moments as (
    select
        supposed.report_id,
        supposed.time_zone,
        supposed.weeks,
        choices.is_report_first,
        choices.is_session_first,
        near.session_ms,
        near.direction,
        near.moment_ms - near.session_ms as into_session_ms,
        supposed.reported_ms - cast(supposed.weeks as bigint) * 604800000 as true_reported_ms,
        near.session_ms - cast(supposed.weeks as bigint) * 604800000 as true_session_ms,
        case when true_reported_ms - supposed.offset_before_ms < supposed.changed_ms then true_reported_ms - supposed.offset_before_ms end as report_before_ms,
        case when true_reported_ms - supposed.offset_after_ms >= supposed.changed_ms then true_reported_ms - supposed.offset_after_ms end as report_after_ms,
        case when true_session_ms - supposed.offset_before_ms < supposed.changed_ms then true_session_ms - supposed.offset_before_ms end as session_before_ms,
        case when true_session_ms - supposed.offset_after_ms >= supposed.changed_ms then true_session_ms - supposed.offset_after_ms end as session_after_ms
    from supposed
    cross join choices
    left join near on supposed.report_id = near.report_id
),

ordered as (
    select
        report_id,
        time_zone,
        weeks,
        is_report_first,
        is_session_first,
        direction,
        case when session_before_ms is not null and session_after_ms is not null then session_ms end as doubtful_session_ms,
        case when is_report_first then coalesce(report_before_ms, report_after_ms) else coalesce(report_after_ms, report_before_ms) end as report_utc_ms,
        into_session_ms
        + case when is_session_first then coalesce(session_before_ms, session_after_ms) else coalesce(session_after_ms, session_before_ms) end as moment_utc_ms
    from moments
),

agreeing as (
    select
        ordered.report_id,
        ordered.time_zone,
        ordered.weeks,
        ordered.is_report_first,
        ordered.is_session_first,
        windows.plays = count(ordered.moment_utc_ms) filter (
            where ordered.direction = windows.direction
            and abs(ordered.report_utc_ms - ordered.moment_utc_ms) <= windows.window_ms
            and (ordered.report_utc_ms > ordered.moment_utc_ms) = (windows.direction = 'before')
        ) and count(ordered.report_utc_ms) > 0 as is_right,
        count(distinct ordered.doubtful_session_ms) as doubtful_sessions
    from ordered
    inner join windows on ordered.report_id = windows.report_id
    group by
        ordered.report_id, ordered.time_zone, ordered.weeks, ordered.is_report_first, ordered.is_session_first, windows.direction, windows.window_ms,
        windows.plays
),

chosen as (
    select
        report_id,
        time_zone,
        weeks,
        bool_and(is_right) as is_right,
        max(doubtful_sessions) as doubtful_sessions
    from agreeing
    group by report_id, time_zone, weeks, is_report_first, is_session_first
),

-- Two sessions of an hour that is there twice may be one in each: that is not looked at, and thought possible.
judged as (
    select
        report_id,
        time_zone,
        weeks,
        bool_or(is_right or doubtful_sessions > 1) as is_possible
    from chosen
    group by report_id, time_zone, weeks
),

tests as (
    select
        reports.person,
        reports.report_id,
        reports.needs_change,
        judged.time_zone,
        judged.weeks,
        judged.is_possible
    from reports
    left join judged on reports.report_id = judged.report_id
    where reports.needs_change or judged.weeks is not null
)

select * from tests
