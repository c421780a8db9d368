-- One row is one enrolled participant.
with source as (select * from {{ source('raw', 'participants') }}),

renamed as (
    select
        participant_code,
        gender,
        country,
        timezone as time_zone,
        birth_year
    from source
)

select * from renamed
