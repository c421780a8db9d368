-- One row is one permission of study.yml: a source of features, and what its values may be used for.
with source as (select * from {{ source('raw', 'feature_permissions') }}),

renamed as (
    select
        source_id,
        scope,
        reference,
        expires_on,
        is_expired
    from source
)

select * from renamed
