-- relation: warehouse.marts.emotion_windows
-- what: The plays counted in a window are those that had ended strictly before the report, and within the window.
-- example: A play that was on while the report was given counts as heard before it.
-- why: Whoever looks ahead predicts the past.
-- remedy: Look at models/marts/emotion_windows.sql.
with ended as (
    select
        participant_id,
        ended_elapsed_ms,
        count(*) as plays_until_then
    from warehouse.marts.plays
    group by participant_id, ended_elapsed_ms
),
counted as (
    select
        participant_id,
        ended_elapsed_ms,
        sum(plays_until_then) over (partition by participant_id order by ended_elapsed_ms) as plays_until_then
    from ended
),
recounted as (
    select
        windows.report_id,
        windows.window_minutes,
        windows.plays,
        coalesce(before_report.plays_until_then, 0) - coalesce(before_window.plays_until_then, 0) as recounted_plays
    from warehouse.marts.emotion_windows as windows
    asof left join counted as before_report
        on
            before_report.participant_id = windows.participant_id
            and before_report.ended_elapsed_ms < windows.reported_elapsed_ms
    asof left join counted as before_window
        on
            before_window.participant_id = windows.participant_id
            and before_window.ended_elapsed_ms < windows.reported_elapsed_ms - windows.window_minutes * 60000
)
select report_id, window_minutes
from recounted
where plays <> recounted_plays
