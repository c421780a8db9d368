-- One row: what the values of the features are shown for.
with stg_feature_use as (
    select shown_for
    from {{ ref('stg_feature_use') }}
)

select shown_for
from stg_feature_use
