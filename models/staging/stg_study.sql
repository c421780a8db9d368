-- One row: the study and the moment at which consent is judged.
with source as (select * from {{ source('raw', 'study') }}),

renamed as (
    select
        title,
        {{ epoch_ms('as_of') }} as as_of_ms
    from source
)

select * from renamed
