-- relation: warehouse.marts.emotion_windows
-- what: A window counts exactly the plays that ended before the report and within the window, measured in elapsed time.
-- example: A play that was still on during the report is counted as heard before it.
-- why: A model that gets later plays would use what happened after the report to predict the report.
-- remedy: Look at models/features/feat_emotion_report_plays.sql and models/marts/emotion_windows.sql.
with reports as (
    select report_id, min(answered_elapsed_ms) as reported_ms
    from warehouse.anonymized.anon_emotion_answers
    group by report_id
),
hours as (
    -- Every hour of the elapsed clock that a window touches: so few plays are looked at.
    select
        windows.report_id,
        windows.window_minutes,
        windows.participant_id,
        reports.reported_ms - windows.window_minutes * 60000 as from_ms,
        reports.reported_ms as before_ms,
        unnest(range((reports.reported_ms - windows.window_minutes * 60000) // 3600000, reports.reported_ms // 3600000 + 1)) as hour
    from warehouse.marts.emotion_windows as windows
    inner join reports on reports.report_id = windows.report_id
),
recounted as (
    select
        hours.report_id,
        hours.window_minutes,
        count(*) as plays
    from hours
    inner join warehouse.anonymized.anon_plays as plays
        on
            plays.participant_id = hours.participant_id
            and plays.ended_elapsed_ms // 3600000 = hours.hour
            and plays.ended_elapsed_ms >= hours.from_ms
            and plays.ended_elapsed_ms < hours.before_ms
    group by hours.report_id, hours.window_minutes
)
select windows.report_id, windows.window_minutes
from warehouse.marts.emotion_windows as windows
left join recounted on recounted.report_id = windows.report_id and recounted.window_minutes = windows.window_minutes
where windows.plays <> coalesce(recounted.plays, 0)
