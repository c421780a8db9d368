-- One row is one beep and one answer in it, or none, of the participants who may be in the export, under numbers that
-- stand for nobody outside of it. A beep is a moment at which a participant answered, or a prompt without an answer.
with members as (
    select
        unnest($persons) as participant_id,
        unnest(range(1, len($persons) + 1)) as id
),

items as (
    select
        instrument,
        item,
        trim(regexp_replace(lower(instrument || '_' || item), '[^a-z0-9]+', '_', 'g'), '_') as snake_case
    from source.anonymized.anon_emotion_answers
    group by instrument, item
),

-- Two items whose names differ only in other signs are not one.
columns as (
    select
        instrument,
        item,
        snake_case
        || case
            when row_number() over (partition by snake_case order by instrument, item) = 1 then ''
            else '_' || row_number() over (partition by snake_case order by instrument, item)
        end as column_name
    from items
),

answers as (
    select
        members.id,
        answers.answered_at_local,
        columns.column_name,
        columns.instrument,
        columns.item,
        printf('%g', cast(answers.answer as double)) as answer
    from source.anonymized.anon_emotion_answers as answers
    inner join members on members.participant_id = answers.participant_id
    inner join columns on columns.instrument = answers.instrument and columns.item = answers.item
),

moments as (
    select id, answered_at_local as moment
    from answers
    union
    select members.id, coalesce(prompts.prompted_at_local, prompts.opened_at_local) as moment
    from source.marts.emotion_prompts as prompts
    inner join members on members.participant_id = prompts.participant_id
    where prompts.status <> 'answered' and coalesce(prompts.prompted_at_local, prompts.opened_at_local) is not null
),

beeps as (
    select
        id,
        moment,
        date_diff('day', min(cast(moment as date)) over (partition by id), cast(moment as date)) + 1 as day,
        row_number() over (partition by id, cast(moment as date) order by moment) as beep,
        row_number() over (partition by id order by moment) as counter,
        hour(moment) as hour
    from moments
)

select
    beeps.id,
    beeps.day,
    beeps.beep,
    beeps.counter,
    beeps.hour,
    answers.column_name,
    answers.instrument,
    answers.item,
    answers.answer
from beeps
left join answers on answers.id = beeps.id and answers.answered_at_local = beeps.moment
