-- One row is one numeric answer of a pseudonymous participant to one item of an instrument.
with stg_survey_answers as (
    select
        participant_code,
        instrument,
        item,
        file,
        line,
        answer,
        answered_ms
    from {{ ref('stg_survey_answers') }}
),

int_listeners as (
    select
        participant_no,
        participant_code,
        pseudonym,
        play_secret,
        shift_weeks,
        time_zone,
        grants_emotion_reports
    from {{ ref('int_listeners') }}
),

int_clock_origins as (
    select
        participant_no,
        origin_ms
    from {{ ref('int_clock_origins') }}
),

-- An item answered twice at the same moment counts once, as it stands last.
last_answers as (
    select
        participant_code,
        instrument,
        item,
        answer,
        answered_ms,
        row_number() over (
            partition by participant_code, instrument, item, answered_ms
            order by file desc, line desc
        ) as recency
    from stg_survey_answers
),

pseudonymised as (
    select
        {{ function('record_pseudonym') }}(
            int_listeners.play_secret,
            concat_ws('|', 'report', last_answers.instrument, cast(last_answers.answered_ms as string))
        ) as report_id,
        {{ function('participant_pseudonym') }}(int_listeners.pseudonym) as participant_id,
        {{ function('shifted_local_time') }}(
            last_answers.answered_ms,
            {{ zone_offset_ms('int_listeners.time_zone', 'last_answers.answered_ms') }},
            int_listeners.shift_weeks
        ) as answered_at_local,
        {{ function('elapsed_ms') }}(last_answers.answered_ms, int_clock_origins.origin_ms) as answered_elapsed_ms,
        {{ function('survey_name') }}(last_answers.instrument) as instrument,
        {{ function('survey_name') }}(last_answers.item) as item,
        {{ function('survey_answer') }}(last_answers.answer) as answer
    from last_answers
    inner join int_listeners on last_answers.participant_code = int_listeners.participant_code
    inner join int_clock_origins on int_listeners.participant_no = int_clock_origins.participant_no
    where
        last_answers.recency = 1
        and int_listeners.grants_emotion_reports
)

select
    report_id,
    participant_id,
    answered_at_local,
    answered_elapsed_ms,
    instrument,
    item,
    answer
from pseudonymised
