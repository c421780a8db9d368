-- One row is one value of an audio feature that a source gave over the network.
with source as (select * from {{ source('raw', 'fetched_values') }}),

renamed as (
    select
        source_id,
        spotify_id,
        feature,

        value
    from source
)

select * from renamed
