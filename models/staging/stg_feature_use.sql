-- One row: what the values of the features are shown for.
with source as (select * from {{ source('raw', 'feature_use') }}),

renamed as (
    select coalesce(max(shown_for), 'study') as shown_for
    from source
)

select * from renamed
