-- One row is one emotion report, one window of it, and one play of that window. A window before the report has only
-- plays that had ended strictly before it: nothing after the report counts. Definitions: docs/numbers.md, "Emotion".
{%- set hours = ((var('emotion_windows_minutes') | max) / 60) | round(0, 'ceil') | int %}
with anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

anon_plays as (select * from {{ ref('anon_plays') }}),

ses_plays as (select * from {{ ref('ses_plays') }}),

feat_emotion_reports as (select * from {{ ref('feat_emotion_reports') }}),

windows as (
    {{ emotion_windows() }}
),

reports as (
    select
        report_id,
        participant_id,
        min(answered_elapsed_ms) as reported_elapsed_ms,
        {{ epoch_ms('min(answered_at_local)') }} as reported_local_ms
    from anon_emotion_answers
    group by report_id, participant_id
),

plays as (
    select
        anon_plays.play_id,
        anon_plays.participant_id,
        anon_plays.track_id,
        anon_plays.ms_played,
        anon_plays.content_type = 'track' as is_music,
        anon_plays.started_elapsed_ms,
        anon_plays.ended_elapsed_ms,
        ses_plays.session_id,
        {{ epoch_ms('ses_plays.started_at_local') }} as started_local_ms,
        {{ epoch_day(epoch_ms('ses_plays.started_at_local')) }} as local_day,
        {{ elapsed_hour('anon_plays.started_elapsed_ms') }} as started_hour,
        {{ elapsed_hour('anon_plays.ended_elapsed_ms') }} as ended_hour
    from anon_plays
    inner join ses_plays on anon_plays.play_id = ses_plays.play_id
),

-- Hours that are equal are found faster than ranges: each report with the hours that its windows touch.
hours as (
    {%- for hour in range(hours + 1) %}
    select {{ hour }} as hours_apart
    {{- '\n    union all' if not loop.last }}
    {%- endfor %}
),

report_hours as (
    select
        reports.report_id,
        reports.participant_id,
        reports.reported_elapsed_ms,
        reports.reported_local_ms,
        {{ elapsed_hour('reports.reported_elapsed_ms') }} - hours.hours_apart as earlier_hour,
        {{ elapsed_hour('reports.reported_elapsed_ms') }} + hours.hours_apart as later_hour
    from reports
    cross join hours
),

before as (
    select
        report_hours.report_id,
        'before' as direction,
        report_hours.reported_elapsed_ms - plays.ended_elapsed_ms as ms_apart,
        plays.play_id,
        plays.track_id,
        plays.started_elapsed_ms,
        plays.ended_elapsed_ms,
        plays.started_local_ms - report_hours.reported_local_ms as local_ms_apart
    from report_hours
    inner join plays
        on
            report_hours.participant_id = plays.participant_id
            and report_hours.earlier_hour = plays.ended_hour
    where plays.ended_elapsed_ms < report_hours.reported_elapsed_ms
),

after as (
    select
        report_hours.report_id,
        'after' as direction,
        plays.started_elapsed_ms - report_hours.reported_elapsed_ms as ms_apart,
        plays.play_id,
        plays.track_id,
        plays.started_elapsed_ms,
        plays.ended_elapsed_ms,
        plays.started_local_ms - report_hours.reported_local_ms as local_ms_apart
    from report_hours
    inner join plays
        on
            report_hours.participant_id = plays.participant_id
            and report_hours.later_hour = plays.started_hour
    where plays.started_elapsed_ms >= report_hours.reported_elapsed_ms
),

near as (
    select * from before
    union all
    select * from after
),

heard as (
    select
        near.report_id,
        windows.window_no,
        near.play_id,
        near.track_id,
        near.started_elapsed_ms,
        near.ended_elapsed_ms,
        near.local_ms_apart
    from near
    inner join windows
        on
            near.direction = windows.direction
            and near.ms_apart <= windows.window_minutes * 60000
    union all
    select
        reports.report_id,
        windows.window_no,
        plays.play_id,
        plays.track_id,
        plays.started_elapsed_ms,
        plays.ended_elapsed_ms,
        plays.started_local_ms - reports.reported_local_ms as local_ms_apart
    from reports
    inner join windows on windows.emotion_window = 'day_before'
    inner join plays
        on
            reports.participant_id = plays.participant_id
            and {{ epoch_day('reports.reported_local_ms') }} - 1 = plays.local_day
    where plays.ended_elapsed_ms < reports.reported_elapsed_ms
    union all
    select
        feat_emotion_reports.report_id,
        windows.window_no,
        plays.play_id,
        plays.track_id,
        plays.started_elapsed_ms,
        plays.ended_elapsed_ms,
        plays.started_local_ms - reports.reported_local_ms as local_ms_apart
    from feat_emotion_reports
    inner join reports on feat_emotion_reports.report_id = reports.report_id
    inner join windows on windows.emotion_window = 'session'
    inner join plays on feat_emotion_reports.session_id = plays.session_id
),

-- Sessions are counted within the window: a play that is not in it cannot make one of two. Of plays at one moment, chance is
-- not to say which is the first: the track does before the id.
followed as (
    select
        report_id,
        window_no,
        play_id,
        local_ms_apart,
        started_elapsed_ms - max(ended_elapsed_ms) over (
            partition by report_id, window_no
            order by started_elapsed_ms, ended_elapsed_ms, track_id nulls last, play_id
            rows between unbounded preceding and 1 preceding
        ) as pause_ms
    from heard
),

-- The first listen is the one that ended first: a later play does not change which one it was. Few tracks are looked at.
heard_tracks as (
    select distinct
        plays.participant_id,
        plays.track_id
    from followed
    inner join plays on followed.play_id = plays.play_id
    where plays.track_id is not null
),

listens as (
    select
        plays.play_id,
        row_number() over (
            partition by plays.participant_id, plays.track_id
            order by plays.ended_elapsed_ms, plays.started_elapsed_ms, plays.play_id
        ) as listen_no
    from plays
    inner join heard_tracks
        on
            plays.participant_id = heard_tracks.participant_id
            and plays.track_id = heard_tracks.track_id
),

first_listens as (
    select play_id
    from listens
    where listen_no = 1
),

marked as (
    select
        followed.report_id,
        plays.participant_id,
        windows.emotion_window,
        plays.play_id,
        plays.track_id,
        plays.ms_played,
        plays.is_music,
        cast(round(greatest(-10000000000, least(10000000000, followed.local_ms_apart)) / 1000.0) as bigint) as seconds_from_report,
        first_listens.play_id is not null as is_first_listen,
        coalesce(followed.pause_ms > {{ var('session_gap_minutes') }} * 60000, true) as is_first_of_session
    from followed
    inner join plays on followed.play_id = plays.play_id
    inner join windows on followed.window_no = windows.window_no
    left join first_listens on followed.play_id = first_listens.play_id
)

select * from marked
