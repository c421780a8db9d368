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
        cast(feat_track_resolved_values.value as decimal(9, 6)) as value,
        cast(feat_track_resolved_values.value as decimal(20, 6)) as wide_value
    from feat_track_resolved_values
    inner join audio_features on feat_track_resolved_values.feature = audio_features.feature
    where audio_features.feature not in ('{{ var('features_without_mean') | join("', '") }}')
),

timed as (
    select
        feat_emotion_report_plays.report_id,
        feat_emotion_report_plays.participant_id,
        feat_emotion_report_plays.emotion_window,
        plays.track_id,
        plays.ms_played,
        {{ play_weight('plays.ms_played') }} as weight,
        cast({{ epoch_ms('plays.started_at_local') }} - {{ epoch_ms('emotion_reports.reported_at_local') }} as decimal(20, 0)) as ms
    from feat_emotion_report_plays
    inner join plays on feat_emotion_report_plays.play_id = plays.play_id
    inner join emotion_reports on feat_emotion_report_plays.report_id = emotion_reports.report_id
    where plays.content_type = 'track'
),

heard as (
    select
        *,
        weight * ms as weighted_ms,
        weight * ms * ms as weighted_square
    from timed
),

totals as (
    select
        report_id,
        participant_id,
        emotion_window,
        sum(ms_played) as ms_played
    from heard
    group by report_id, participant_id, emotion_window
),

-- The sums are exact: see the macro play_weight. Wide numbers have room for the products.
sums as (
    select
        heard.report_id,
        heard.emotion_window,
        track_values.feature,
        count(*) as plays_with_value,
        sum(heard.ms_played) as ms_with_value,
        cast(sum(heard.weight) as double) as weight,
        cast(sum(heard.weight * track_values.value) as double) as of_value,
        cast(sum(heard.weight * track_values.value * track_values.wide_value) as double) as of_value_squared,
        cast(sum(heard.weighted_ms) as double) / 3600000.0 as of_hours,
        cast(sum(heard.weighted_square) as double) / 3600000.0 / 3600000.0 as of_hours_squared,
        cast(sum(heard.weighted_ms * track_values.value) as double) / 3600000.0 as of_both
    from heard
    inner join track_values on heard.track_id = track_values.track_id
    group by heard.report_id, heard.emotion_window, track_values.feature
),

moments as (
    select
        report_id,
        emotion_window,
        feature,
        plays_with_value,
        ms_with_value,
        of_value / nullif(weight, 0) as mean,
        of_hours / nullif(weight, 0) as mean_hours,
        of_value_squared / nullif(weight, 0) as mean_square,
        of_hours_squared / nullif(weight, 0) as mean_square_of_hours,
        of_both / nullif(weight, 0) as mean_product
    from sums
),

variances as (
    select
        *,
        mean_square - mean * mean as variance,
        mean_square_of_hours - mean_hours * mean_hours as variance_of_hours,
        mean_product - mean * mean_hours as covariance
    from moments
),

-- Of a variance of nothing, the digits of the machine leave less than 1e-9.
measured as (
    select
        variances.report_id,
        totals.participant_id,
        variances.emotion_window,
        variances.feature,
        variances.plays_with_value,
        cast(variances.ms_with_value as bigint) as ms_with_value,
        round(cast(variances.ms_with_value as double) / nullif(totals.ms_played, 0), 6) as coverage,
        round(variances.mean, 6) as mean,
        case
            when variances.plays_with_value < 2 then null
            when variances.variance < 1e-9 then 0
            else round(sqrt(variances.variance), 6)
        end as spread,
        case
            when variances.plays_with_value >= 3 and variances.variance_of_hours >= 1e-9
                then round(variances.covariance / variances.variance_of_hours, 6)
        end as trend
    from variances
    inner join totals
        on
            variances.report_id = totals.report_id
            and variances.emotion_window = totals.emotion_window
)

select * from measured
