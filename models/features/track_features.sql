-- One row is one track with audio features, from the source that the study prefers.
with track_matches as (select * from {{ ref('track_matches') }}),

archives as (select * from {{ source('music', 'track_features') }}),

feature_sources as (select * from {{ ref('feature_sources') }}),

joined as (
    select
        track_matches.track_id,
        track_matches.match_method,
        track_matches.match_confidence,
        archives.*,
        feature_sources.may_train_models,
        row_number() over (
            partition by track_matches.track_id
            order by feature_sources.preference asc, archives.source_id asc
        ) as choice
    from track_matches
    inner join archives on track_matches.spotify_id = archives.spotify_id
    inner join feature_sources on archives.source_id = feature_sources.source_id
),

preferred as (
    select
        track_id,
        source_id as feature_source,
        match_method,
        match_confidence,
        may_train_models,
        danceability,
        energy,
        valence,
        speechiness,
        acousticness,
        instrumentalness,
        liveness,
        loudness,
        tempo,
        musical_key,
        mode,
        time_signature
    from joined
    where choice = 1
)

select * from preferred
