-- relation: warehouse.marts.emotion_windows
-- what: The plays counted in a window are those that had ended strictly before the report, and within the window.
-- example: A play that was on while the report was given counts as heard before it.
-- why: Whoever looks ahead predicts the past.
-- remedy: Look at models/marts/emotion_windows.sql.
with hours as (
    -- Every hour of the elapsed clock that a window touches: so few plays are looked at.
    select
        report_id,
        window_minutes,
        participant_id,
        reported_elapsed_ms - window_minutes * 60000 as from_ms,
        reported_elapsed_ms as before_ms,
        unnest(range((reported_elapsed_ms - window_minutes * 60000) // 3600000, reported_elapsed_ms // 3600000 + 1)) as hour
    from warehouse.marts.emotion_windows as windows
),
recounted as (
    select
        hours.report_id,
        hours.window_minutes,
        count(*) as plays
    from hours
    inner join warehouse.marts.plays as plays
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
