-- relation: warehouse.marts.emotion_windows
-- what: A window before a report counts exactly the plays that ended before it and within the window, one after it those that began at it or later and within the window, in elapsed time. The day before counts those that began on that local day and ended before the report.
-- example: A play that was still on during the report is counted as heard before it.
-- why: A model that gets later plays would use what happened after the report to predict the report.
-- remedy: Look at models/features/feat_emotion_report_plays.sql and models/marts/emotion_windows.sql.
with reports as (
    select report_id, min(answered_elapsed_ms) as reported_ms
    from warehouse.anonymized.anon_emotion_answers
    group by report_id
),
windows as (
    select
        windows.report_id,
        windows.emotion_window,
        windows.direction,
        windows.participant_id,
        windows.plays,
        cast(windows.reported_at_local as date) - 1 as day_before,
        reports.reported_ms,
        case when windows.direction = 'before' then reports.reported_ms - windows.window_minutes * 60000 else reports.reported_ms end as from_ms,
        case when windows.direction = 'after' then reports.reported_ms + windows.window_minutes * 60000 else reports.reported_ms - 1 end as to_ms
    from warehouse.marts.emotion_windows as windows
    inner join reports on reports.report_id = windows.report_id
),
hours as (
    -- Every hour of the elapsed clock that a window touches: so few plays are looked at.
    select report_id, emotion_window, direction, participant_id, from_ms, to_ms, unnest(range(from_ms // 3600000, to_ms // 3600000 + 1)) as hour
    from windows
    where direction in ('before', 'after')
),
moments as (
    select participant_id, 'before' as direction, ended_elapsed_ms as moment_ms
    from warehouse.anonymized.anon_plays
    union all
    select participant_id, 'after', started_elapsed_ms
    from warehouse.anonymized.anon_plays
),
recounted as (
    select
        hours.report_id,
        hours.emotion_window,
        count(*) as plays
    from hours
    inner join moments
        on
            moments.participant_id = hours.participant_id
            and moments.direction = hours.direction
            and moments.moment_ms // 3600000 = hours.hour
            and moments.moment_ms between hours.from_ms and hours.to_ms
    group by hours.report_id, hours.emotion_window
    union all
    select
        windows.report_id,
        windows.emotion_window,
        count(*) as plays
    from windows
    inner join warehouse.marts.plays as shown
        on
            shown.participant_id = windows.participant_id
            and cast(shown.started_at_local as date) = windows.day_before
    inner join warehouse.anonymized.anon_plays as plays on plays.play_id = shown.play_id
    where
        windows.direction = 'day_before'
        and plays.ended_elapsed_ms < windows.reported_ms
    group by windows.report_id, windows.emotion_window
)
select 'marts.emotion_windows.plays' as place, windows.emotion_window as detail
from windows
left join recounted on recounted.report_id = windows.report_id and recounted.emotion_window = windows.emotion_window
where
    windows.direction <> 'around'
    and windows.plays <> coalesce(recounted.plays, 0)
