-- One row is one track that was sought by its names among the recordings of MusicBrainz, and the likeliest recording,
-- if there is any. What an earlier run found stays while it would find the same: names and length of the track, the
-- dump, and the SQL of the matching are as they were.
{%- set likely = likely_recordings('keyed', source('music', 'recordings')) -%}
{%- set matching = remembered_matching(recordings_as_named('likely_recordings'), 'recording_mbid', likely) %}
with feat_track_names as (select * from {{ ref('feat_track_names') }}),

earlier_matches as (select * from {{ this }}),

dumps as (select * from {{ source('music', 'dumps') }}),

asked_sources as (
    select
        'musicbrainz_canonical' as source_id,
        {{ sum_of_digests(text_digest('sha256')) }} as source_digest
    from dumps
    where source_id = 'musicbrainz_canonical'
),

{{ matching }},

recordings as (
    select
        track_id,
        source_id,
        named_id as recording_mbid,
        match_method,
        match_confidence,
        equals,
        names_digest,
        source_digest,
        matching_digest
    from all_matches
)

select * from recordings
