-- One row is one track, episode or chapter that occurs in kept plays.
with play_fates as (
    select
        participant_no,
        fate,
        content_type,
        content_uri,
        title,
        creator,
        album
    from {{ ref('play_fates') }}
),

listeners as (
    select
        participant_no,
        play_secret
    from {{ ref('listeners') }}
),

-- What was played, with how often it is spelled so: one URI may have several spellings.
spellings as (
    select
        case when starts_with(play_fates.content_uri, 'spotify:local:') then listeners.play_secret end as play_secret,
        play_fates.content_type,
        play_fates.content_uri,
        play_fates.title,
        play_fates.creator,
        play_fates.album,
        count(*) as plays
    from play_fates
    inner join listeners on play_fates.participant_no = listeners.participant_no
    where
        play_fates.fate = 'kept'
        and play_fates.content_type <> 'unknown'
    group by
        case when starts_with(play_fates.content_uri, 'spotify:local:') then listeners.play_secret end,
        play_fates.content_type, play_fates.content_uri, play_fates.title, play_fates.creator, play_fates.album
),

named as (
    select
        {{ function('track_identity') }}(content_uri, title, creator, play_secret) as track_id,
        content_type,
        {{ function('public_uri') }}(content_uri) as spotify_uri,
        {{ function('public_text') }}(title, content_uri) as title,
        {{ function('public_text') }}(creator, content_uri) as creator,
        {{ function('public_text') }}(album, content_uri) as album,
        starts_with(content_uri, 'spotify:local:') as is_local_file,
        plays
    from spellings
),

ordered as (
    select
        track_id,
        content_type,
        spotify_uri,
        title,
        creator,
        album,
        is_local_file,
        row_number() over (
            partition by track_id
            order by plays desc, content_type asc, title asc nulls last, creator asc nulls last, album asc nulls last
        ) as choice
    from named
    where track_id is not null
)

select
    track_id,
    content_type,
    spotify_uri,
    title,
    creator,
    album,
    coalesce(is_local_file, false) as is_local_file
from ordered
where choice = 1
