-- One row is one track, episode or chapter that occurs in kept plays.
with spellings as (
    select
        participant_no,
        content_type,
        content_uri,
        title,
        creator,
        album,
        plays,
        is_private
    from {{ ref('spellings') }}
),

listeners as (
    select
        participant_no,
        play_secret
    from {{ ref('listeners') }}
),

named as (
    select
        {{ function('track_identity') }}(
            spellings.content_uri, spellings.title, spellings.creator, spellings.is_private, listeners.play_secret
        ) as track_id,
        {{ function('known_word') }}(spellings.content_type) as content_type,
        {{ function('public_uri') }}(spellings.content_uri) as spotify_uri,
        {{ function('public_text') }}(spellings.title, spellings.is_private) as title,
        {{ function('public_text') }}(spellings.creator, spellings.is_private) as creator,
        {{ function('public_text') }}(spellings.album, spellings.is_private) as album,
        {{ function('flag') }}(spellings.is_private) as is_private,
        spellings.plays
    from spellings
    left join listeners on spellings.participant_no = listeners.participant_no
),

totals as (
    select
        track_id,
        content_type,
        spotify_uri,
        title,
        creator,
        album,
        is_private,
        sum(plays) as plays
    from named
    where track_id is not null
    group by track_id, content_type, spotify_uri, title, creator, album, is_private
),

-- Of several spellings the most frequent one counts.
ordered as (
    select
        track_id,
        content_type,
        spotify_uri,
        title,
        creator,
        album,
        is_private,
        row_number() over (
            partition by track_id
            order by
                is_private asc, plays desc, content_type asc,
                title asc nulls last, creator asc nulls last, album asc nulls last
        ) as choice
    from totals
)

select
    track_id,
    content_type,
    spotify_uri,
    title,
    creator,
    album,
    is_private
from ordered
where choice = 1
