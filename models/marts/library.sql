-- One row is one track in what a participant saved, or in their playlists.
with anonymized_library as (select * from {{ ref('anonymized_library') }}),

listed as (
    select
        participant_id,
        track_id,
        spotify_uri,
        origin
    from anonymized_library
)

select * from listed
