-- One row is one emotion report and one window of it: what was heard in it. Windows before the report have only plays
-- that had ended strictly before it. Definitions: docs/numbers.md, "Emotion".
{%- set measures = ['mean', 'spread', 'trend'] %}
{%- set features = var('features_of_plays') | reject('in', var('features_without_mean')) | list %}
with emotion_reports as (select * from {{ ref('emotion_reports') }}),

feat_emotion_reports as (select * from {{ ref('feat_emotion_reports') }}),

feat_emotion_report_plays as (select * from {{ ref('feat_emotion_report_plays') }}),

emotion_window_features as (select * from {{ ref('emotion_window_features') }}),

plays as (select * from {{ ref('plays') }}),

tracks as (select * from {{ ref('tracks') }}),

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
        windows.window_no,
        windows.emotion_window,
        windows.direction,
        windows.window_minutes
    from emotion_reports
    cross join windows
),

-- Numbers stand for the names of artists and windows: names are long.
artists as (
    select
        track_id,
        min(track_id) over (partition by creator) as artist_no
    from tracks
    where creator is not null
),

report_plays as (
    select
        feat_emotion_report_plays.report_id,
        windows.window_no,
        feat_emotion_report_plays.play_id,
        feat_emotion_report_plays.track_id,
        feat_emotion_report_plays.is_first_of_session,
        feat_emotion_report_plays.is_first_listen
    from feat_emotion_report_plays
    inner join windows on feat_emotion_report_plays.emotion_window = windows.emotion_window
),

heard as (
    select
        report_plays.report_id,
        report_plays.window_no,
        count(*) as plays,
        count(*) filter (where plays.is_counted) as counted_plays,
        count(*) filter (where plays.is_skip) as skips,
        count(plays.is_skip) as plays_with_known_skip,
        count(*) filter (where plays.is_private_session) as private_plays,
        count(*) filter (where plays.is_offline) as offline_plays,
        count(*) filter (where report_plays.is_first_of_session) as sessions,
        count(*) filter (where report_plays.is_first_listen) as new_tracks,
        sum(plays.ms_played) as ms_played,
        count(plays.valence) filter (where plays.is_counted) as plays_with_features
    from report_plays
    inner join plays on report_plays.play_id = plays.play_id
    group by report_plays.report_id, report_plays.window_no
),

heard_tracks as (
    select
        report_id,
        window_no,
        track_id,
        count(*) as plays
    from report_plays
    where track_id is not null
    group by report_id, window_no, track_id
),

-- Shannon's entropy of the shares of the tracks. Rounded: in which order numbers are added changes their last digits.
variety as (
    select
        heard_tracks.report_id,
        heard_tracks.window_no,
        count(*) as distinct_tracks,
        count(distinct artists.artist_no) as distinct_artists,
        sum(heard_tracks.plays) - count(*) as repeated_plays,
        abs(
            round((ln(sum(heard_tracks.plays)) - sum(heard_tracks.plays * ln(heard_tracks.plays)) / sum(heard_tracks.plays)) / ln(2), 6)
        ) as track_entropy
    from heard_tracks
    left join artists on heard_tracks.track_id = artists.track_id
    group by heard_tracks.report_id, heard_tracks.window_no
),

features as (
    select
        emotion_window_features.report_id,
        windows.window_no
        {%- for feature in features %}
        {%- for measure in measures %},
        max(case when emotion_window_features.feature = '{{ feature }}' then emotion_window_features.{{ measure }} end) as {{ measure }}_{{ feature }}
        {%- endfor %}
        {%- endfor %}
    from emotion_window_features
    inner join windows on emotion_window_features.emotion_window = windows.emotion_window
    group by emotion_window_features.report_id, windows.window_no
),

joined as (
    select
        report_windows.report_id,
        report_windows.participant_id,
        report_windows.instrument,
        report_windows.emotion_window,
        report_windows.direction,
        report_windows.window_minutes,
        report_windows.reported_at_local,
        report_windows.reported_valence,
        report_windows.reported_arousal,
        report_windows.reported_positive_affect,
        report_windows.reported_negative_affect,
        feat_emotion_reports.ms_since_last_play,
        coalesce(heard.plays, 0) as plays,
        coalesce(heard.counted_plays, 0) as counted_plays,
        coalesce(heard.skips, 0) as skips,
        coalesce(heard.plays_with_known_skip, 0) as plays_with_known_skip,
        coalesce(heard.private_plays, 0) as private_plays,
        coalesce(heard.offline_plays, 0) as offline_plays,
        cast(coalesce(heard.ms_played, 0) as bigint) as ms_played,
        coalesce(heard.sessions, 0) as sessions,
        coalesce(variety.distinct_tracks, 0) as distinct_tracks,
        coalesce(variety.distinct_artists, 0) as distinct_artists,
        cast(coalesce(variety.repeated_plays, 0) as bigint) as repeated_plays,
        variety.track_entropy,
        coalesce(heard.new_tracks, 0) as new_tracks,
        coalesce(heard.plays_with_features, 0) as plays_with_features
        {%- for feature in features %}
        {%- for measure in measures %},
        features.{{ measure }}_{{ feature }}
        {%- endfor %}
        {%- endfor %}
    from report_windows
    inner join feat_emotion_reports on report_windows.report_id = feat_emotion_reports.report_id
    left join heard
        on
            report_windows.report_id = heard.report_id
            and report_windows.window_no = heard.window_no
    left join variety
        on
            report_windows.report_id = variety.report_id
            and report_windows.window_no = variety.window_no
    left join features
        on
            report_windows.report_id = features.report_id
            and report_windows.window_no = features.window_no
)

select * from joined
