-- One row is one beep and one answer in it, of the participants who may be in the export, under numbers that stand for
-- nobody outside of it. A beep is one moment at which a participant answered.
with members as (
    select
        pseudonym as participant_id,
        row_number() over (order by md5($salt || pseudonym)) as id
    from (select unnest($persons) as pseudonym)
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

beeps as (
    select
        id,
        answered_at_local,
        date_diff('day', min(cast(answered_at_local as date)) over (partition by id), cast(answered_at_local as date)) + 1 as day,
        row_number() over (partition by id, cast(answered_at_local as date) order by answered_at_local) as beep,
        row_number() over (partition by id order by answered_at_local) as counter,
        hour(answered_at_local) as hour
    from (select distinct id, answered_at_local from answers)
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
inner join answers on answers.id = beeps.id and answers.answered_at_local = beeps.answered_at_local
