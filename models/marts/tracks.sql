-- One row is one track, episode or chapter that was played.
with anon_tracks as (select * from {{ ref('anon_tracks') }}),

feat_track_features as (select * from {{ ref('feat_track_features') }}),

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
        anon_tracks.track_id,
        anon_tracks.content_type,
        anon_tracks.spotify_uri,
        anon_tracks.title,
        anon_tracks.creator,
        anon_tracks.album,
        anon_tracks.is_private,
        listening.participants,
        listening.plays,
        listening.counted_plays,
        cast(listening.ms_played as bigint) as ms_played,
        feat_track_features.duration_ms,
        feat_track_features.duration_ms_source,
        feat_track_features.feature_source,
        feat_track_features.match_method as feature_match_method,
        feat_track_features.match_confidence as feature_match_confidence
        {%- for feature in var('audio_features') %},
        feat_track_features.{{ feature }}
        {%- endfor %}
        {%- for feature in var('audio_features') %},
        feat_track_features.{{ feature }}_source
        {%- endfor %}
    from anon_tracks
    inner join listening on anon_tracks.track_id = listening.track_id
    left join feat_track_features on anon_tracks.track_id = feat_track_features.track_id
)

select * from joined
