-- One row is one item of a scale of an instrument that the study defined itself.
with source as (select * from {{ source('raw', 'instrument_items') }}),

renamed as (
    select
        instrument,
        scale,
        item,
        is_reversed
    from source
)

select * from renamed
