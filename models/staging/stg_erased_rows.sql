-- One row is so many landed plays of one member that were erased, because a purpose was taken back.
with source as (select * from {{ source('raw', 'erased_rows') }}),

renamed as (
    select
        participant_no,
        history_source,
        erased_rows
    from source
)

select * from renamed
