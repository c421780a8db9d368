-- One row is one emotion report of a participant who permits the training of models, one window that does not look
-- ahead, and one audio feature: its mean in the window, of values that models may be trained on alone, each play weighted
-- by how long it was played. Key and metre are left out: they are classes.
with anon_participants as (select * from {{ ref('anon_participants') }}),

feat_emotion_report_plays as (select * from {{ ref('feat_emotion_report_plays') }}),

feat_training_values as (select * from {{ ref('feat_training_values') }}),

audio_features as (select * from {{ ref('audio_features') }}),

windows as (
    {{ emotion_windows() }}
),

heard as (
    select
        feat_emotion_report_plays.report_id,
        feat_emotion_report_plays.participant_id,
        feat_emotion_report_plays.emotion_window,
        feat_emotion_report_plays.track_id,
        {{ play_seconds('feat_emotion_report_plays.ms_played') }} as weight
    from feat_emotion_report_plays
    inner join windows on feat_emotion_report_plays.emotion_window = windows.emotion_window
    inner join anon_participants on feat_emotion_report_plays.participant_id = anon_participants.participant_id
    where
        windows.direction in ('before', 'day_before')
        and {{ grants_training('anon_participants') }}
),

track_values as (
    select
        feat_training_values.track_id,
        feat_training_values.feature,
        {{ in_units('feat_training_values.value', 6) }} as value_in_1e6
    from feat_training_values
    inner join audio_features on feat_training_values.feature = audio_features.feature
    where audio_features.feature not in ('{{ var('features_without_mean') | join("', '") }}')
),

means as (
    select
        heard.report_id,
        heard.participant_id,
        heard.emotion_window,
        track_values.feature,
        round(
            cast(sum(heard.weight * track_values.value_in_1e6) as double) / 1000000 / nullif(cast(sum(heard.weight) as double), 0), 6
        ) as mean
    from heard
    inner join track_values on heard.track_id = track_values.track_id
    group by heard.report_id, heard.participant_id, heard.emotion_window, track_values.feature
)

select * from means
