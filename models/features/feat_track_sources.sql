-- One row is one track and one track of a feature source that it is: how that was found, and how surely.
with feat_track_keys as (select * from {{ ref('feat_track_keys') }}),

feat_track_named_sources as (select * from {{ ref('feat_track_named_sources') }}),

source_tracks as (select * from {{ source('music', 'source_tracks') }}),

recording_redirects as (select * from {{ source('music', 'recording_redirects') }}),

-- Narrow, and with the ids of recordings that were merged as they are now.
sources as (
    select
        source_tracks.source_id,
        source_tracks.track_no,
        source_tracks.spotify_id,
        source_tracks.isrc,
        cast(coalesce(recording_redirects.canonical_recording_mbid, source_tracks.recording_mbid) as string) as recording_mbid
    from source_tracks
    left join recording_redirects on source_tracks.recording_mbid = recording_redirects.recording_mbid
),

found_in_some_way as (
    {%- for kind in ['spotify_id', 'isrc', 'recording_mbid'] %}
    select
        feat_track_keys.track_id,
        sources.source_id,
        sources.track_no,
        feat_track_keys.match_method,
        feat_track_keys.match_confidence,
        feat_track_keys.equals
    from feat_track_keys
    inner join sources on feat_track_keys.key = sources.{{ kind }}
    where feat_track_keys.key_kind = '{{ kind }}'
    union all
    {%- endfor %}
    select
        track_id,
        source_id,
        track_no,
        match_method,
        match_confidence,
        equals
    from feat_track_named_sources
    where match_confidence >= {{ var('match_threshold') }}
),

ranked as (
    select
        *,
        row_number() over (
            partition by track_id, source_id, track_no order by match_confidence desc, match_method asc, equals asc
        ) as choice
    from found_in_some_way
),

surest as (
    select
        track_id,
        source_id,
        track_no,
        match_method,
        match_confidence,
        equals
    from ranked
    where choice = 1
)

select * from surest
