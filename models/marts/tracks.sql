-- One row is one track, episode or chapter that was played.
with anonymized_tracks as (select * from {{ ref('anonymized_tracks') }}),

track_features as (select * from {{ ref('track_features') }}),

plays as (select * from {{ ref('plays') }}),

listening as (
    select
        track_id,
        count(*) as plays,
        count(*) filter (where is_counted) as counted_plays,
        count(distinct participant_id) as participants,
        sum(ms_played) as ms_played
    from plays
    where track_id is not null
    group by track_id
),

joined as (
    select
        anonymized_tracks.track_id,
        anonymized_tracks.content_type,
        anonymized_tracks.spotify_uri,
        anonymized_tracks.title,
        anonymized_tracks.creator,
        anonymized_tracks.album,
        anonymized_tracks.is_private,
        listening.participants,
        listening.plays,
        listening.counted_plays,
        cast(listening.ms_played as bigint) as ms_played,
        track_features.feature_source,
        track_features.match_method as feature_match_method,
        track_features.match_confidence as feature_match_confidence,
        track_features.danceability,
        track_features.energy,
        track_features.valence,
        track_features.speechiness,
        track_features.acousticness,
        track_features.instrumentalness,
        track_features.liveness,
        track_features.loudness,
        track_features.tempo,
        track_features.musical_key,
        track_features.mode,
        track_features.time_signature
        {%- for feature in var('audio_features') %},
        track_features.{{ feature }}_source
        {%- endfor %}
    from anonymized_tracks
    inner join listening on anonymized_tracks.track_id = listening.track_id
    left join track_features on anonymized_tracks.track_id = track_features.track_id
)

select * from joined
