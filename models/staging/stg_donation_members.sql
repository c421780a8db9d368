-- One row is one place where a donation holds a member.
with source as (select * from {{ source('raw', 'donation_members') }}),

renamed as (
    select
        donation_id,
        member_id,
        participant_no,
        position
    from source
)

select * from renamed
