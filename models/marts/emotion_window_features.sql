-- One row is one emotion report, one window of it and one audio feature of which a play in the window has a value: mean,
-- spread and trend of the feature, each play weighted by how long it was played. Key and metre are left out: they are
-- classes.
with emotion_reports as (select * from {{ ref('emotion_reports') }}),

feat_emotion_report_plays as (select * from {{ ref('feat_emotion_report_plays') }}),

plays as (select * from {{ ref('plays') }}),

feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

audio_features as (select * from {{ ref('audio_features') }}),

track_values as (
    select
        feat_track_resolved_values.track_id,
        feat_track_resolved_values.feature,
        feat_track_resolved_values.value
    from feat_track_resolved_values
    inner join audio_features on feat_track_resolved_values.feature = audio_features.feature
    where audio_features.feature not in ('{{ var('features_without_mean') | join("', '") }}')
),

heard as (
    select
        feat_emotion_report_plays.report_id,
        feat_emotion_report_plays.participant_id,
        feat_emotion_report_plays.emotion_window,
        plays.track_id,
        plays.ms_played,
        ({{ epoch_ms('plays.started_at_local') }} - {{ epoch_ms('emotion_reports.reported_at_local') }}) / 3600000.0 as hours
    from feat_emotion_report_plays
    inner join plays on feat_emotion_report_plays.play_id = plays.play_id
    inner join emotion_reports on feat_emotion_report_plays.report_id = emotion_reports.report_id
    where plays.content_type = 'track'
),

totals as (
    select
        report_id,
        emotion_window,
        sum(ms_played) as ms_played
    from heard
    group by report_id, emotion_window
),

sums as (
    select
        heard.report_id,
        heard.participant_id,
        heard.emotion_window,
        track_values.feature,
        count(*) as plays_with_value,
        sum(heard.ms_played) as ms_with_value,
        sum(heard.ms_played * track_values.value) as of_value,
        sum(heard.ms_played * track_values.value * track_values.value) as of_value_squared,
        sum(heard.ms_played * heard.hours) as of_hours,
        sum(heard.ms_played * heard.hours * heard.hours) as of_hours_squared,
        sum(heard.ms_played * heard.hours * track_values.value) as of_both
    from heard
    inner join track_values on heard.track_id = track_values.track_id
    group by heard.report_id, heard.participant_id, heard.emotion_window, track_values.feature
),

moments as (
    select
        *,
        of_value / nullif(ms_with_value, 0) as mean,
        of_value_squared / nullif(ms_with_value, 0) - (of_value / nullif(ms_with_value, 0)) * (of_value / nullif(ms_with_value, 0)) as variance,
        of_hours_squared / nullif(ms_with_value, 0) - (of_hours / nullif(ms_with_value, 0)) * (of_hours / nullif(ms_with_value, 0)) as variance_of_hours,
        of_both / nullif(ms_with_value, 0) - (of_value / nullif(ms_with_value, 0)) * (of_hours / nullif(ms_with_value, 0)) as covariance
    from sums
),

-- What is left of a variance of nothing is less than 1e-9.
measured as (
    select
        moments.report_id,
        moments.participant_id,
        moments.emotion_window,
        moments.feature,
        moments.plays_with_value,
        cast(moments.ms_with_value as bigint) as ms_with_value,
        {{ rounded('cast(moments.ms_with_value as double) / nullif(totals.ms_played, 0)') }} as coverage,
        {{ rounded('moments.mean') }} as mean,
        case
            when moments.plays_with_value < 2 then null
            when moments.variance < 1e-9 then 0
            else {{ rounded('sqrt(moments.variance)') }}
        end as spread,
        case
            when moments.plays_with_value >= 3 and moments.variance_of_hours >= 1e-9
                then {{ rounded('moments.covariance / moments.variance_of_hours') }}
        end as trend
    from moments
    inner join totals
        on
            moments.report_id = totals.report_id
            and moments.emotion_window = totals.emotion_window
)

select * from measured
