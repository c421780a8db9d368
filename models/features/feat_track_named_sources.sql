-- One row is one track and one feature source with names in which it was sought by its names, and the likeliest track
-- of the source, if there is any. What an earlier run found stays while it would find the same: names and length of
-- the track, the files of the source, and the SQL of the matching are as they were.
{%- set named = source_tracks_as_named(source('music', 'source_tracks')) -%}
{%- set matching = remembered_matching(named, 'track_no') %}
with feat_track_names as (select * from {{ ref('feat_track_names') }}),

earlier_matches as (select * from {{ this }}),

source_tracks as (select * from {{ source('music', 'source_tracks') }}),

archive_files as (select * from {{ source('music', 'archive_files') }}),

dumps as (select * from {{ source('music', 'dumps') }}),

contents as (
    select
        source_id,
        {{ text_digest("concat_ws('|', file, read_from)") }} as content_digest
    from archive_files
    union all
    select
        source_id,
        {{ text_digest('sha256') }} as content_digest
    from dumps
),

asked_sources as (
    select
        named_sources.source_id,
        {{ sum_of_digests('contents.content_digest') }} as source_digest
    from (select distinct source_id from source_tracks where title_key is not null) as named_sources
    left join contents on named_sources.source_id = contents.source_id
    group by named_sources.source_id
),

{{ matching }},

named_sources as (
    select
        track_id,
        source_id,
        named_id as track_no,
        match_method,
        match_confidence,
        equals,
        names_digest,
        source_digest,
        matching_digest
    from all_matches
)

select * from named_sources
