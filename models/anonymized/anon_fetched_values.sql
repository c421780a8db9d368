-- One row is one value of an audio feature of a track of kept plays, as a source gave it over the network.
with stg_fetched_values as (
    select
        source_id,
        spotify_id,
        feature,
        value
    from {{ ref('stg_fetched_values') }}
),

anon_fetched_tracks as (
    select
        source_id,
        spotify_id
    from {{ ref('anon_fetched_tracks') }}
),

passed as (
    select
        anon_fetched_tracks.source_id,
        anon_fetched_tracks.spotify_id,
        stg_fetched_values.feature,
        stg_fetched_values.value
    from stg_fetched_values
    inner join anon_fetched_tracks
        on
            stg_fetched_values.source_id = anon_fetched_tracks.source_id
            and stg_fetched_values.spotify_id = anon_fetched_tracks.spotify_id
)

select
    source_id,
    spotify_id,
    feature,
    value
from passed
