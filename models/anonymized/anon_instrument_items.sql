-- One row is one item of a scale of an instrument that the study defined itself.
with stg_instrument_items as (
    select
        instrument,
        scale,
        item,
        is_reversed
    from {{ ref('stg_instrument_items') }}
),

items as (
    select
        {{ function('survey_name') }}(instrument) as instrument,
        {{ function('survey_name') }}(scale) as scale,
        {{ function('survey_name') }}(item) as item,
        is_reversed
    from stg_instrument_items
)

select
    instrument,
    scale,
    item,
    is_reversed
from items
