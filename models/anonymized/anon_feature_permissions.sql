-- One row is one permission of study.yml: a source of features, what its values may be used for, and whether the
-- permission still counts.
with stg_feature_permissions as (
    select
        source_id,
        scope,
        reference,
        expires_on,
        is_expired
    from {{ ref('stg_feature_permissions') }}
),

permissions as (
    select distinct
        source_id,
        scope,
        {{ function('permission_reference') }}(reference) as reference,
        expires_on,
        is_expired
    from stg_feature_permissions
)

select
    source_id,
    scope,
    reference,
    expires_on,
    is_expired
from permissions
