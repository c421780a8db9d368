-- One row is one scale of an instrument that the study defined itself.
with source as (select * from {{ source('raw', 'instrument_scales') }}),

renamed as (
    select
        instrument,
        scale,
        score_as,
        dimension,
        answer_min,
        answer_max,
        max_missing
    from source
)

select * from renamed
