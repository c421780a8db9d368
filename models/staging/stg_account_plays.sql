-- One row is one play as an account history states it.
with source as (select * from {{ source('raw', 'account_plays') }}),

renamed as (
    select
        cast(member_id as bigint) * 4294967296 + row_no as row_id,
        participant_no,
        member_id,
        row_no,

        kind,
        title,
        creator,

        ms_played,

        -- UTC, cut off to the minute.
        {{ epoch_ms('end_time') }} as end_time_ms
    from source
)

select * from renamed
