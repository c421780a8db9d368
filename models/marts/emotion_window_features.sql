-- One row is one emotion report, one window of it and one audio feature of which a play in the window has a value: mean,
-- spread and trend of the feature, each play weighted by its seconds. Key and metre are left out: they are
-- classes.
with feat_emotion_report_plays as (select * from {{ ref('feat_emotion_report_plays') }}),

feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

audio_features as (select * from {{ ref('audio_features') }}),

track_values as (
    select
        feat_track_resolved_values.track_id,
        feat_track_resolved_values.feature,
        {{ in_units('feat_track_resolved_values.value', 6) }} as value_in_1e6,
        {{ in_units('feat_track_resolved_values.value', 4) }} as value_in_1e4,
        {{ in_units('feat_track_resolved_values.value', 4) }} * {{ in_units('feat_track_resolved_values.value', 4) }} as square_in_1e8
    from feat_track_resolved_values
    inner join audio_features on feat_track_resolved_values.feature = audio_features.feature
    where audio_features.feature not in ('{{ var('features_without_mean') | join("', '") }}')
),

heard as (
    select
        report_id,
        participant_id,
        emotion_window,
        track_id,
        ms_played,
        {{ play_seconds('ms_played') }} as weight,
        {{ play_seconds('ms_played') }} * seconds_from_report as weighted_seconds,
        {{ play_seconds('ms_played') }} * seconds_from_report * seconds_from_report as weighted_square
    from feat_emotion_report_plays
    where is_music
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

sums as (
    select
        heard.report_id,
        heard.emotion_window,
        track_values.feature,
        count(*) as plays_with_value,
        sum(heard.ms_played) as ms_with_value,
        cast(sum(heard.weight) as double) as weight,
        cast(sum(heard.weight * track_values.value_in_1e6) as double) / 1000000 as of_value,
        cast(sum(heard.weight * track_values.value_in_1e4) as double) / 10000 as of_rounded_value,
        cast(sum(heard.weight * track_values.square_in_1e8) as double) / 100000000 as of_square,
        cast(sum(heard.weighted_seconds) as double) / 3600.0 as of_hours,
        cast(sum(heard.weighted_square) as double) / 3600.0 / 3600.0 as of_square_of_hours,
        cast(sum(heard.weighted_seconds * track_values.value_in_1e4) as double) / 10000 / 3600.0 as of_product
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
        of_rounded_value / nullif(weight, 0) as rounded_mean,
        of_square / nullif(weight, 0) as mean_square,
        of_hours / nullif(weight, 0) as mean_hours,
        of_square_of_hours / nullif(weight, 0) as mean_square_of_hours,
        of_product / nullif(weight, 0) as mean_product
    from sums
),

variances as (
    select
        *,
        mean_square - rounded_mean * rounded_mean as variance,
        mean_square_of_hours - mean_hours * mean_hours as variance_of_hours,
        mean_product - rounded_mean * mean_hours as covariance
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
            else round(sqrt(variances.variance), 4)
        end as spread,
        case
            when variances.plays_with_value >= 3 and variances.variance_of_hours >= 1e-9
                then round(variances.covariance / variances.variance_of_hours, 4)
        end as trend
    from variances
    inner join totals
        on
            variances.report_id = totals.report_id
            and variances.emotion_window = totals.emotion_window
)

select * from measured
