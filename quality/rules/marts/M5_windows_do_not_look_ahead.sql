-- relation: warehouse.marts.emotion_windows
-- what: The plays counted in a window are those that had ended strictly before the report, and within the window.
-- example: A play that was on while the report was given counts as heard before it.
-- why: Whoever looks ahead predicts the past.
-- remedy: Look at models/marts/emotion_windows.sql.
with recounted as (
    select windows.report_id, windows.window_minutes, windows.plays, count(plays.play_id) as recounted_plays
    from warehouse.marts.emotion_windows as windows
    left join warehouse.marts.plays
        on
            plays.participant_id = windows.participant_id
            and windows.reported_elapsed_ms - plays.ended_elapsed_ms between 1 and windows.window_minutes * 60000
    group by windows.report_id, windows.window_minutes, windows.plays
)
select report_id, window_minutes
from recounted
where plays <> recounted_plays
