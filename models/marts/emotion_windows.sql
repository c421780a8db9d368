-- One row is one emotion report and one window of minutes before it: the plays that had ended
-- strictly before the report, and within the window. Nothing after the report counts.
with emotion_reports as (select * from {{ ref('emotion_reports') }}),

feat_emotion_report_plays as (select * from {{ ref('feat_emotion_report_plays') }}),

plays as (select * from {{ ref('plays') }}),

windows as (
    {{ emotion_windows() }}
),

report_windows as (
    select
        emotion_reports.report_id,
        emotion_reports.participant_id,
        emotion_reports.instrument,
        emotion_reports.reported_at_local,
        emotion_reports.valence as reported_valence,
        emotion_reports.arousal as reported_arousal,
        emotion_reports.positive_affect as reported_positive_affect,
        emotion_reports.negative_affect as reported_negative_affect,
        windows.window_minutes
    from emotion_reports
    cross join windows
),

heard as (
    select
        feat_emotion_report_plays.report_id,
        feat_emotion_report_plays.window_minutes,
        count(*) as plays,
        count(*) filter (where plays.is_counted) as counted_plays,
        count(*) filter (where plays.is_skip) as skips,
        count(plays.is_skip) as plays_with_known_skip,
        sum(plays.ms_played) as ms_played,
        count(plays.valence) filter (where plays.is_counted) as plays_with_features,
        avg(plays.valence) filter (where plays.is_counted) as mean_valence,
        avg(plays.energy) filter (where plays.is_counted) as mean_energy,
        avg(plays.danceability) filter (where plays.is_counted) as mean_danceability,
        avg(plays.tempo) filter (where plays.is_counted) as mean_tempo
    from feat_emotion_report_plays
    inner join plays on feat_emotion_report_plays.play_id = plays.play_id
    group by feat_emotion_report_plays.report_id, feat_emotion_report_plays.window_minutes
),

joined as (
    select
        report_windows.report_id,
        report_windows.participant_id,
        report_windows.instrument,
        report_windows.window_minutes,
        report_windows.reported_at_local,
        report_windows.reported_valence,
        report_windows.reported_arousal,
        report_windows.reported_positive_affect,
        report_windows.reported_negative_affect,
        coalesce(heard.plays, 0) as plays,
        coalesce(heard.counted_plays, 0) as counted_plays,
        coalesce(heard.skips, 0) as skips,
        coalesce(heard.plays_with_known_skip, 0) as plays_with_known_skip,
        cast(coalesce(heard.ms_played, 0) as bigint) as ms_played,
        coalesce(heard.plays_with_features, 0) as plays_with_features,
        heard.mean_valence,
        heard.mean_energy,
        heard.mean_danceability,
        heard.mean_tempo
    from report_windows
    left join heard
        on
            report_windows.report_id = heard.report_id
            and report_windows.window_minutes = heard.window_minutes
)

select * from joined
