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

features as (
    {{ numbered_features() }}
),

heard as (
    select
        feat_emotion_report_plays.report_id,
        feat_emotion_report_plays.participant_id,
        windows.window_no,
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
        features.feature_no,
        {{ in_units('feat_training_values.value', 6) }} as value_in_1e6
    from feat_training_values
    inner join features on feat_training_values.feature = features.feature
),

means as (
    select
        heard.report_id,
        heard.participant_id,
        heard.window_no,
        track_values.feature_no,
        round(
            cast(sum(heard.weight * track_values.value_in_1e6) as double) / 1000000 / nullif(cast(sum(heard.weight) as double), 0), 6
        ) as mean
    from heard
    inner join track_values on heard.track_id = track_values.track_id
    group by heard.report_id, heard.participant_id, heard.window_no, track_values.feature_no
),

named as (
    select
        means.report_id,
        means.participant_id,
        windows.emotion_window,
        features.feature,
        means.mean
    from means
    inner join windows on means.window_no = windows.window_no
    inner join features on means.feature_no = features.feature_no
)

select * from named
