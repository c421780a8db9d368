-- One row is one report and one scale of its instrument: the score, or why there is none.
-- Sources of the scoring rules: docs/instruments.md.
with anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

anon_instrument_items as (select * from {{ ref('anon_instrument_items') }}),

anon_instrument_scales as (select * from {{ ref('anon_instrument_scales') }}),

instrument_items as (select * from {{ ref('instrument_items') }}),

instrument_scales as (select * from {{ ref('instrument_scales') }}),

-- Those of seeds/ and those of the study itself. A load refuses the name of an instrument of seeds/; a later version of
-- the project may bring an instrument of that name.
known_scales as (
    select
        instrument,
        scale,
        score_as,
        dimension,
        max_missing,
        cast(answer_min as double) as answer_min,
        cast(answer_max as double) as answer_max
    from instrument_scales
    union all
    select
        instrument,
        scale,
        score_as,
        dimension,
        max_missing,
        answer_min,
        answer_max
    from anon_instrument_scales
    where instrument not in (select instrument_scales.instrument from instrument_scales)
),

known_items as (
    select
        instrument,
        scale,
        item,
        is_reversed
    from instrument_items
    union all
    select
        instrument,
        scale,
        item,
        is_reversed
    from anon_instrument_items
    where instrument not in (select instrument_items.instrument from instrument_items)
),

reports as (
    select distinct
        report_id,
        participant_id,
        instrument
    from anon_emotion_answers
),

expected as (
    select
        reports.report_id,
        reports.participant_id,
        reports.instrument,
        known_items.scale,
        known_items.item,
        known_items.is_reversed,
        known_scales.answer_min,
        known_scales.answer_max,
        known_scales.score_as,
        known_scales.max_missing,
        known_scales.dimension
    from reports
    inner join known_items on reports.instrument = known_items.instrument
    inner join known_scales
        on
            known_items.instrument = known_scales.instrument
            and known_items.scale = known_scales.scale
),

answered as (
    select
        expected.*,
        anon_emotion_answers.answer not between expected.answer_min and expected.answer_max as is_outside,
        case
            when expected.is_reversed then expected.answer_min + expected.answer_max - anon_emotion_answers.answer
            else anon_emotion_answers.answer
        end as answer
    from expected
    left join anon_emotion_answers
        on
            expected.report_id = anon_emotion_answers.report_id
            and expected.item = anon_emotion_answers.item
),

counted as (
    select
        report_id,
        participant_id,
        instrument,
        scale,
        score_as,
        dimension,
        answer_min,
        answer_max,
        max_missing,
        count(*) as items_expected,
        count(answer) as items_answered,
        count(*) filter (where is_outside) as items_outside,
        cast(sum(cast(answer as decimal(18, 6))) as double) / nullif(count(answer), 0) as mean_answer,
        case when score_as = 'sum' then count(*) else 1 end as units
    from answered
    group by
        report_id, participant_id, instrument, scale, score_as, dimension, answer_min, answer_max, max_missing
),

-- An answer outside the range shows that the answers of the scale may be coded in another way: it is not scored.
judged as (
    select
        *,
        case
            when items_outside > 0 then 'outside_range'
            when items_answered = 0 or items_expected - items_answered > max_missing then 'too_many_missing'
            else 'scored'
        end as score_status
    from counted
),

scored as (
    select
        report_id,
        participant_id,
        instrument,
        scale,
        dimension,
        cast(items_expected as integer) as items_expected,
        cast(items_answered as integer) as items_answered,
        case when score_status = 'scored' then cast(mean_answer * units as double) end as score,
        answer_min * units as score_min,
        answer_max * units as score_max,
        -- On the common axis from -1 to 1, where the instrument defines valence or arousal.
        case
            when score_status = 'scored' and dimension in ('valence', 'arousal')
                then (mean_answer - (answer_min + answer_max) / 2.0) / ((answer_max - answer_min) / 2.0)
        end as dimension_score,
        score_status
    from judged
)

select * from scored
