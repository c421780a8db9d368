-- One row is one emotion report, one window of minutes before it, and one play of that window: one that had
-- ended strictly before the report, and not before the window began. Nothing after the report counts.
with anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

anon_plays as (select * from {{ ref('anon_plays') }}),

windows as (
    {{ emotion_windows() }}
),

reports as (
    select
        report_id,
        participant_id,
        min(answered_elapsed_ms) as reported_elapsed_ms
    from anon_emotion_answers
    group by report_id, participant_id
),

report_windows as (
    select
        reports.report_id,
        reports.participant_id,
        reports.reported_elapsed_ms,
        windows.window_minutes
    from reports
    cross join windows
),

heard as (
    select
        report_windows.report_id,
        report_windows.participant_id,
        report_windows.window_minutes,
        anon_plays.play_id
    from report_windows
    inner join anon_plays
        on
            report_windows.participant_id = anon_plays.participant_id
            and report_windows.reported_elapsed_ms - report_windows.window_minutes * 60000 <= anon_plays.ended_elapsed_ms
            and report_windows.reported_elapsed_ms > anon_plays.ended_elapsed_ms
)

select * from heard
