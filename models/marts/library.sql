-- One row is one track in what a participant saved, or in their playlists.
with anon_library as (select * from {{ ref('anon_library') }}),

listed as (
    select
        participant_id,
        track_id,
        spotify_uri,
        origin
    from anon_library
)

select * from listed
