-- One row is one member: how many of its landed plays were erased, because a consent no longer covers them.
with source as (select * from {{ source('raw', 'erased_rows') }}),

renamed as (
    select
        participant_no,
        history_source,
        erased_rows
    from source
)

select * from renamed
