-- One row is one play.
with anonymized_plays as (select * from {{ ref('anonymized_plays') }}),

play_sessions as (select * from {{ ref('play_sessions') }}),

track_features as (select * from {{ ref('track_features') }}),

joined as (
    select
        anonymized_plays.play_id,
        anonymized_plays.participant_id,
        play_sessions.session_id,
        anonymized_plays.track_id,

        play_sessions.started_at_local,
        play_sessions.ended_at_local,
        anonymized_plays.ms_played,
        anonymized_plays.start_quality,

        anonymized_plays.content_type,
        anonymized_plays.reason_start,
        anonymized_plays.reason_end,
        case
            when anonymized_plays.reason_end in ('fwdbtn', 'backbtn', 'endplay') then true
            when anonymized_plays.reason_end is null or anonymized_plays.reason_end = 'unknown' then null
            else false
        end as is_skip,
        anonymized_plays.is_skipped_as_exported,
        anonymized_plays.is_shuffle,
        anonymized_plays.is_offline,
        anonymized_plays.is_private_session,
        anonymized_plays.device_family,
        anonymized_plays.country,
        anonymized_plays.is_abroad,
        anonymized_plays.ms_played >= {{ var('counted_from_ms') }} as is_counted,
        anonymized_plays.history_source,

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
    from anonymized_plays
    inner join play_sessions on anonymized_plays.play_id = play_sessions.play_id
    left join track_features on anonymized_plays.track_id = track_features.track_id
)

select * from joined
