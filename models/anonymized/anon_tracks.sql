-- One row is one track, episode or chapter that occurs in kept plays.
with int_spellings as (
    select
        participant_no,
        content_type,
        content_uri,
        title,
        creator,
        album,
        plays,
        is_private
    from {{ ref('int_spellings') }}
),

int_listeners as (
    select
        participant_no,
        play_secret
    from {{ ref('int_listeners') }}
),

named as (
    select
        {{ function('track_identity') }}(
            int_spellings.content_uri, int_spellings.title, int_spellings.creator, int_spellings.is_private, int_listeners.play_secret
        ) as track_id,
        {{ function('known_word') }}(int_spellings.content_type) as content_type,
        {{ function('public_uri') }}(int_spellings.content_uri) as spotify_uri,
        {{ function('public_text') }}(int_spellings.title, int_spellings.is_private) as title,
        {{ function('public_text') }}(int_spellings.creator, int_spellings.is_private) as creator,
        {{ function('public_text') }}(int_spellings.album, int_spellings.is_private) as album,
        {{ function('flag') }}(int_spellings.is_private) as is_private,
        int_spellings.plays
    from int_spellings
    left join int_listeners on int_spellings.participant_no = int_listeners.participant_no
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
