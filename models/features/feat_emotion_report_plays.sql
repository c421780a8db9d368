-- One row is one emotion report, one window of minutes before it, and one play of that window: one that had
-- ended strictly before the report, and not before the window began. Nothing after the report is looked at.
with answers as (select * from {{ ref('anon_emotion_answers') }}),

plays as (select * from {{ ref('anon_plays') }}),

windows as (
    {%- for minutes in var('emotion_windows_minutes') %}
    select {{ minutes }} as window_minutes
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

reports as (
    select
        report_id,
        participant_id,
        min(answered_elapsed_ms) as reported_elapsed_ms
    from answers
    group by report_id, participant_id
),

report_windows as (
    select
        reports.report_id,
        reports.participant_id,
        reports.reported_elapsed_ms,
        cast(windows.window_minutes as integer) as window_minutes
    from reports
    cross join windows
),

heard as (
    select
        report_windows.report_id,
        report_windows.participant_id,
        report_windows.window_minutes,
        plays.play_id
    from report_windows
    inner join plays
        on
            report_windows.participant_id = plays.participant_id
            and report_windows.reported_elapsed_ms - report_windows.window_minutes * 60000 <= plays.ended_elapsed_ms
            and report_windows.reported_elapsed_ms > plays.ended_elapsed_ms
)

select * from heard
