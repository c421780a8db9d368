-- One row is one track of kept plays that a feature source was asked about over the network and knows: what the
-- source says about it.
with stg_fetched_tracks as (
    select
        source_id,
        spotify_id,
        isrc,
        length_ms,
        is_known
    from {{ ref('stg_fetched_tracks') }}
),

int_play_fates as (
    select
        fate,
        content_type,
        content_uri,
        is_private_session
    from {{ ref('int_play_fates') }}
),

-- A release has the plays of some participants only: tracks that the others heard must not be in it. Joined before it is
-- asked how plays were heard: few plays, or none, are of tracks that a source was asked about.
heard as (
    select distinct int_play_fates.content_uri
    from int_play_fates
    inner join stg_fetched_tracks on {{ track_uri('stg_fetched_tracks.spotify_id') }} = int_play_fates.content_uri
    where {{ is_openly_heard('int_play_fates') }}
),

passed as (
    select
        stg_fetched_tracks.source_id,
        {{ function('public_uri') }}(heard.content_uri) as spotify_uri,
        {{ function('public_isrc') }}(stg_fetched_tracks.isrc) as isrc,
        stg_fetched_tracks.length_ms
    from stg_fetched_tracks
    inner join heard on {{ track_uri('stg_fetched_tracks.spotify_id') }} = heard.content_uri
    where stg_fetched_tracks.is_known
)

select
    source_id,
    {{ track_id_of('spotify_uri') }} as spotify_id,
    isrc,
    length_ms
from passed
