-- One row is one landed donation.
with source as (select * from {{ source('raw', 'donations') }}),

renamed as (
    select
        donation_id,
        participant_no,
        sha256
    from source
)

select * from renamed
