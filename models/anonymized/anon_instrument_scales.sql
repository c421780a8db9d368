-- One row is one scale of an instrument that the study defined itself.
with stg_instrument_scales as (
    select
        instrument,
        scale,
        score_as,
        dimension,
        answer_min,
        answer_max,
        max_missing
    from {{ ref('stg_instrument_scales') }}
),

scales as (
    select
        {{ function('survey_name') }}(instrument) as instrument,
        {{ function('survey_name') }}(scale) as scale,
        score_as,
        dimension,
        answer_min,
        answer_max,
        max_missing
    from stg_instrument_scales
)

select
    instrument,
    scale,
    score_as,
    dimension,
    answer_min,
    answer_max,
    max_missing
from scales
