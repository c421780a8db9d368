-- One row is one participant's secrets.
with source as (select * from {{ source('raw', 'keyring') }}),

renamed as (
    select
        participant_no,
        participant_code,
        pseudonym,
        play_secret,
        shift_weeks
    from source
)

select * from renamed
