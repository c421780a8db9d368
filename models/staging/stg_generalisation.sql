-- One row: how coarse demographics are; 0 is the finest, and that of every study.
with source as (select * from {{ source('raw', 'generalisation') }}),

renamed as (
    select
        coalesce(max(age_level), 0) as age_level,
        coalesce(max(country_level), 0) as country_level,
        coalesce(max(gender_level), 0) as gender_level
    from source
)

select * from renamed
