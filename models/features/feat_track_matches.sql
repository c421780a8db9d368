-- One row is one track that can be looked up in archives of features: under which Spotify id, how
-- that was found, and how surely.
with anon_tracks as (select * from {{ ref('anon_tracks') }}),

source_tracks as (select * from {{ source('music', 'source_tracks') }}),

archived as (
    select distinct spotify_id
    from source_tracks
    where spotify_id is not null
),

music as (
    select
        *,
        case when starts_with(spotify_uri, 'spotify:track:') then substring(spotify_uri, 15) end as spotify_id
    from anon_tracks
    where content_type = 'track' and not is_private
),

identified as (
    select
        track_id,
        spotify_id,
        'spotify_id' as match_method,
        cast(1.0 as decimal(4, 3)) as match_confidence
    from music
    where spotify_id is not null
),

-- Account histories have names only. In an extended history of the study the same names may have an id; of
-- several ids one that an archive has is taken, and the confidence is lower.
candidates as (
    select
        unnamed.track_id,
        named.spotify_id,
        count(*) over (partition by unnamed.track_id) as candidate_count,
        row_number() over (
            partition by unnamed.track_id
            order by case when archived.spotify_id is null then 1 else 0 end asc, named.spotify_id asc
        ) as choice
    from music as unnamed
    inner join music as named
        on
            unnamed.title = named.title
            and unnamed.creator = named.creator
            and named.spotify_id is not null
    left join archived on named.spotify_id = archived.spotify_id
    where unnamed.spotify_id is null
),

named_alike as (
    select
        track_id,
        spotify_id,
        'same_names' as match_method,
        cast(1.0 / candidate_count as decimal(4, 3)) as match_confidence
    from candidates
    where choice = 1
),

matches as (
    select * from identified
    union all
    select * from named_alike
)

select * from matches
