-- One row is one report and one scale of its instrument: the score, or why there is none.
-- Sources of the scoring rules: seeds/_seeds.yml.
with anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

instrument_items as (select * from {{ ref('instrument_items') }}),

instrument_scales as (select * from {{ ref('instrument_scales') }}),

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
        instrument_items.scale,
        instrument_items.item,
        instrument_items.is_reversed,
        instrument_scales.answer_min,
        instrument_scales.answer_max,
        instrument_scales.score_as,
        instrument_scales.max_missing,
        instrument_scales.dimension
    from reports
    inner join instrument_items on reports.instrument = instrument_items.instrument
    inner join instrument_scales
        on
            instrument_items.instrument = instrument_scales.instrument
            and instrument_items.scale = instrument_scales.scale
),

-- An answer outside the instrument's range counts as missing.
answered as (
    select
        expected.*,
        case
            when anon_emotion_answers.answer not between expected.answer_min and expected.answer_max then null
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
        sum(cast(answer as decimal(18, 6))) / nullif(count(answer), 0) as mean_answer
    from answered
    group by
        report_id, participant_id, instrument, scale, score_as, dimension, answer_min, answer_max, max_missing
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
        case
            when items_answered = 0 or items_expected - items_answered > max_missing then null
            when score_as = 'sum' then mean_answer * items_expected
            else mean_answer
        end as score,
        -- On the common axis from -1 to 1, where the instrument defines valence or arousal.
        case
            when items_answered = 0 or items_expected - items_answered > max_missing then null
            when dimension in ('valence', 'arousal')
                then (mean_answer - (answer_min + answer_max) / 2.0) / ((answer_max - answer_min) / 2.0)
        end as dimension_score
    from counted
)

select * from scored
