-- One row is one track that a feature source was asked about over the network, and what the source says about it.
with source as (select * from {{ source('raw', 'fetched_tracks') }}),

renamed as (
    select
        source_id,
        spotify_id,
        isrc,

        length_ms,

        is_known
    from source
)

select * from renamed
