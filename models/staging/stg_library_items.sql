-- One row is one track in what a participant saved, or in their playlists.
with source as (select * from {{ source('raw', 'library_items') }}),

renamed as (
    select
        participant_no,
        origin,
        track_uri
    from source
)

select * from renamed
