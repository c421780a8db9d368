-- One row is one track and one id under which feature sources may know it: how the id was found, and how surely.
with anon_tracks as (select * from {{ ref('anon_tracks') }}),

feat_track_recordings as (select * from {{ ref('feat_track_recordings') }}),

anon_fetched_tracks as (select * from {{ ref('anon_fetched_tracks') }}),

source_tracks as (select * from {{ source('music', 'source_tracks') }}),

recording_redirects as (select * from {{ source('music', 'recording_redirects') }}),

music as (
    select
        track_id,
        title,
        creator,
        case when {{ begins_with('spotify_uri', "'spotify:track:'") }} then {{ track_id_of('spotify_uri') }} end as spotify_id
    from anon_tracks
    where content_type = 'track' and not is_private
),

named_ids as (
    select
        title,
        creator,
        spotify_id,
        count(*) over (partition by title, creator) as ids
    from music
    where spotify_id is not null and title is not null and creator is not null
),

-- Account histories have names only, and a source may know a song under another id. In the study's histories the same
-- names may have an id. Of n ids each is as likely as the others; beside an id of its own none is sure.
spotify_ids as (
    select
        track_id,
        spotify_id,
        'spotify_id' as match_method,
        1.0 as match_confidence,
        1 as equals
    from music
    where spotify_id is not null
    union all
    select
        music.track_id,
        named_ids.spotify_id,
        'same_names' as match_method,
        case when music.spotify_id is null then 1.0 / named_ids.ids else 0.98 / (named_ids.ids - 1) end as match_confidence,
        case when music.spotify_id is null then named_ids.ids else named_ids.ids - 1 end as equals
    from music
    inner join named_ids
        on
            music.title = named_ids.title
            and music.creator = named_ids.creator
    where music.spotify_id is null or music.spotify_id <> named_ids.spotify_id
),

-- A source that has an ISRC or an MBID beside the Spotify id leads to the sources that have these alone.
known_isrcs as (
    select
        spotify_id,
        isrc
    from source_tracks
    where spotify_id is not null and isrc is not null
    union
    select
        spotify_id,
        isrc
    from anon_fetched_tracks
    where isrc is not null
),

isrcs as (
    select
        spotify_ids.track_id,
        known_isrcs.isrc,
        max(0.98 * spotify_ids.match_confidence) as match_confidence
    from spotify_ids
    inner join known_isrcs on spotify_ids.spotify_id = known_isrcs.spotify_id
    group by spotify_ids.track_id, known_isrcs.isrc
),

linked_recordings as (
    select
        spotify_ids.track_id,
        source_tracks.recording_mbid,
        0.92 * spotify_ids.match_confidence as match_confidence
    from spotify_ids
    inner join source_tracks on spotify_ids.spotify_id = source_tracks.spotify_id
    where source_tracks.recording_mbid is not null
    union all
    select
        isrcs.track_id,
        source_tracks.recording_mbid,
        0.92 * isrcs.match_confidence as match_confidence
    from isrcs
    inner join source_tracks on isrcs.isrc = source_tracks.isrc
    where source_tracks.recording_mbid is not null
),

recordings as (
    select
        track_id,
        recording_mbid,
        'recording_mbid' as match_method,
        match_confidence,
        1 as equals
    from linked_recordings
    union all
    select
        track_id,
        recording_mbid,
        match_method,
        match_confidence,
        equals
    from feat_track_recordings
    where match_confidence >= {{ var('match_threshold') }}
),

-- A recording that was merged is known under the id of the other.
merged_recordings as (
    select
        recordings.track_id,
        coalesce(recording_redirects.canonical_recording_mbid, recordings.recording_mbid) as recording_mbid,
        recordings.match_method,
        recordings.match_confidence,
        recordings.equals
    from recordings
    left join recording_redirects on recordings.recording_mbid = recording_redirects.recording_mbid
),

found_keys as (
    select
        track_id,
        'spotify_id' as key_kind,
        spotify_id as key,
        match_method,
        match_confidence,
        equals
    from spotify_ids
    union all
    select
        track_id,
        'isrc' as key_kind,
        isrc as key,
        'isrc' as match_method,
        match_confidence,
        1 as equals
    from isrcs
    union all
    select
        track_id,
        'recording_mbid' as key_kind,
        cast(recording_mbid as string) as key,
        match_method,
        match_confidence,
        equals
    from merged_recordings
),

ranked as (
    select
        *,
        row_number() over (
            partition by track_id, key_kind, key order by match_confidence desc, match_method asc, equals asc
        ) as choice
    from found_keys
),

keys as (
    select
        track_id,
        key_kind,
        key,
        match_method,
        cast(match_confidence as decimal(4, 3)) as match_confidence,
        cast(equals as integer) as equals
    from ranked
    where choice = 1
)

select * from keys
