-- One row is one distinct file of listening history of one participant.
with source as (select * from {{ source('raw', 'members') }}),

renamed as (
    select
        member_id,
        participant_no,
        usernames
    from source
)

select * from renamed
