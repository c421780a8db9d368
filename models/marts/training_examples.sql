-- One row is one emotion report of a participant who permits the training of models, and one window that does not look
-- ahead: what models may be trained on. No number in a row is made of rows of other participants, so that no fold says
-- anything of another one.
{%- set features = var('audio_features') | reject('in', var('features_without_mean')) | list %}
{%- set outcomes = ['valence', 'arousal', 'positive_affect', 'negative_affect'] %}
with anon_participants as (select * from {{ ref('anon_participants') }}),

emotion_reports as (select * from {{ ref('emotion_reports') }}),

emotion_windows as (select * from {{ ref('emotion_windows') }}),

feat_emotion_reports as (select * from {{ ref('feat_emotion_reports') }}),

feat_training_window_features as (select * from {{ ref('feat_training_window_features') }}),

features as (
    select
        report_id,
        emotion_window
        {%- for feature in features %},
        max(case when feature = '{{ feature }}' then mean end) as mean_{{ feature }}
        {%- endfor %}
    from feat_training_window_features
    group by report_id, emotion_window
),

examples as (
    select
        emotion_windows.report_id,
        emotion_windows.participant_id,
        emotion_windows.instrument,
        emotion_windows.emotion_window,
        emotion_windows.reported_at_local,
        {{ fold_of('emotion_windows.participant_id') }} as fold,
        cast(extract(hour from emotion_windows.reported_at_local) as integer) as hour_local,
        ({{ epoch_day(epoch_ms('emotion_windows.reported_at_local')) }} + 3) % 7 + 1 as weekday_local,
        {%- for outcome in outcomes %}
        emotion_reports.{{ outcome }},
        {%- endfor %}
        {%- for outcome in outcomes %}
        previous_reports.{{ outcome }} as previous_{{ outcome }},
        {%- endfor %}
        feat_emotion_reports.ms_since_previous_report,
        emotion_windows.ms_since_last_play,
        emotion_windows.plays,
        emotion_windows.counted_plays,
        emotion_windows.skips,
        emotion_windows.plays_with_known_skip,
        emotion_windows.private_plays,
        emotion_windows.offline_plays,
        emotion_windows.ms_played,
        emotion_windows.sessions,
        emotion_windows.distinct_tracks,
        emotion_windows.distinct_artists,
        emotion_windows.repeated_plays,
        emotion_windows.track_entropy,
        emotion_windows.new_tracks
        {%- for feature in features %},
        features.mean_{{ feature }}
        {%- endfor %}
    from emotion_windows
    inner join anon_participants on emotion_windows.participant_id = anon_participants.participant_id
    inner join emotion_reports on emotion_windows.report_id = emotion_reports.report_id
    inner join feat_emotion_reports on emotion_windows.report_id = feat_emotion_reports.report_id
    left join emotion_reports as previous_reports on feat_emotion_reports.previous_report_id = previous_reports.report_id
    left join features
        on
            emotion_windows.report_id = features.report_id
            and emotion_windows.emotion_window = features.emotion_window
    where
        emotion_windows.direction in ('before', 'day_before')
        and {{ grants_training('anon_participants') }}
),

-- The mean of decimals is exact.
usual as (
    select
        participant_id,
        instrument,
        emotion_window
        {%- for feature in features %},
        round(avg(cast(mean_{{ feature }} as decimal(9, 6))), 6) as mean_{{ feature }}_between
        {%- endfor %}
    from examples
    group by participant_id, instrument, emotion_window
),

centred as (
    select
        examples.*
        {%- for feature in features %},
        round(examples.mean_{{ feature }} - usual.mean_{{ feature }}_between, 6) as mean_{{ feature }}_within,
        usual.mean_{{ feature }}_between,
        examples.mean_{{ feature }} is null as mean_{{ feature }}_missing
        {%- endfor %}
    from examples
    inner join usual
        on
            examples.participant_id = usual.participant_id
            and examples.instrument = usual.instrument
            and examples.emotion_window = usual.emotion_window
)

select * from centred
