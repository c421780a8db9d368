-- One row is one emotion report, one window of it and one audio feature of which a play in the window has a value: mean,
-- spread and trend of the feature, each play weighted by its seconds. Key and metre are left out: they are
-- classes.
with feat_emotion_report_plays as (select * from {{ ref('feat_emotion_report_plays') }}),

feat_track_resolved_values as (select * from {{ ref('feat_track_resolved_values') }}),

audio_features as (select * from {{ ref('audio_features') }}),

windows as (
    {{ emotion_windows() }}
),

features as (
    {{ numbered_features() }}
),

track_values as (
    select
        feat_track_resolved_values.track_id,
        features.feature_no,
        {{ in_units('feat_track_resolved_values.value', 6) }} as value_in_1e6,
        {{ in_units('feat_track_resolved_values.value', 4) }} as value_in_1e4,
        {{ in_units('feat_track_resolved_values.value', 4) }} * {{ in_units('feat_track_resolved_values.value', 4) }} as square_in_1e8
    from feat_track_resolved_values
    inner join features on feat_track_resolved_values.feature = features.feature
),

plays as (
    select
        feat_emotion_report_plays.report_id,
        feat_emotion_report_plays.participant_id,
        windows.window_no,
        feat_emotion_report_plays.track_id,
        feat_emotion_report_plays.ms_played,
        feat_emotion_report_plays.seconds_from_report,
        {{ play_seconds('feat_emotion_report_plays.ms_played') }} as weight
    from feat_emotion_report_plays
    inner join windows on feat_emotion_report_plays.emotion_window = windows.emotion_window
    where feat_emotion_report_plays.is_music
),

heard as (
    select
        report_id,
        participant_id,
        window_no,
        track_id,
        ms_played,
        weight,
        weight * seconds_from_report as weighted_seconds,
        weight * seconds_from_report * seconds_from_report as weighted_square
    from plays
),

totals as (
    select
        report_id,
        participant_id,
        window_no,
        sum(ms_played) as ms_played
    from heard
    group by report_id, participant_id, window_no
),

sums as (
    select
        heard.report_id,
        heard.window_no,
        track_values.feature_no,
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
    group by heard.report_id, heard.window_no, track_values.feature_no
),

moments as (
    select
        report_id,
        window_no,
        feature_no,
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
        windows.emotion_window,
        features.feature,
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
            and variances.window_no = totals.window_no
    inner join windows on variances.window_no = windows.window_no
    inner join features on variances.feature_no = features.feature_no
)

select * from measured
