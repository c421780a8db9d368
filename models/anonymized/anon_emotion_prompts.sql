-- One row is one prompt to report emotions of a pseudonymous participant, or one questionnaire that they began.
with stg_survey_prompts as (
    select
        participant_code,
        status,
        file,
        line,
        prompted_ms,
        opened_ms,
        answered_ms
    from {{ ref('stg_survey_prompts') }}
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

known_by as (
    select
        participant_code,
        status,
        file,
        line,
        prompted_ms,
        opened_ms,
        answered_ms,
        coalesce(prompted_ms, opened_ms, answered_ms) as first_ms,
        coalesce(answered_ms, opened_ms, prompted_ms) as last_ms,
        -- Where a program notes no moment, each line is a prompt.
        case when coalesce(prompted_ms, opened_ms, answered_ms) is null then line end as line_without_moment
    from stg_survey_prompts
),

-- A later export repeats the prompts of an earlier one, and knows more of them: of the prompts of one moment
-- those of the last file count, and of equal ones the last.
ranked as (
    select
        participant_code,
        status,
        prompted_ms,
        opened_ms,
        answered_ms,
        last_ms,
        line_without_moment,
        dense_rank() over (partition by participant_code, first_ms order by file desc) as file_recency,
        row_number() over (
            partition by participant_code, prompted_ms, opened_ms, answered_ms, status, line_without_moment
            order by file desc, line desc
        ) as recency
    from known_by
),

-- All times of a prompt are shown by the clock of its answer: if clocks were changed in between, that shows nowhere.
pseudonymised as (
    select
        {{ function('record_pseudonym') }}(
            int_listeners.play_secret,
            'prompt|' || ranked.status
            || '|' || coalesce(cast(ranked.prompted_ms as string), '')
            || '|' || coalesce(cast(ranked.opened_ms as string), '')
            || '|' || coalesce(cast(ranked.answered_ms as string), '')
            || '|' || coalesce(cast(ranked.line_without_moment as string), '')
        ) as prompt_id,
        {{ function('participant_pseudonym') }}(int_listeners.pseudonym) as participant_id,
        ranked.status,
        {{ function('shifted_local_time') }}(
            ranked.prompted_ms,
            {{ zone_offset_ms('int_listeners.time_zone', 'ranked.last_ms') }},
            int_listeners.shift_weeks
        ) as prompted_at_local,
        {{ function('shifted_local_time') }}(
            ranked.opened_ms,
            {{ zone_offset_ms('int_listeners.time_zone', 'ranked.last_ms') }},
            int_listeners.shift_weeks
        ) as opened_at_local,
        {{ function('shifted_local_time') }}(
            ranked.answered_ms,
            {{ zone_offset_ms('int_listeners.time_zone', 'ranked.last_ms') }},
            int_listeners.shift_weeks
        ) as answered_at_local,
        {{ function('elapsed_ms') }}(ranked.prompted_ms, int_clock_origins.origin_ms) as prompted_elapsed_ms,
        {{ function('elapsed_ms') }}(ranked.answered_ms, int_clock_origins.origin_ms) as answered_elapsed_ms
    from ranked
    inner join int_listeners on ranked.participant_code = int_listeners.participant_code
    -- Somebody without a play and without a report has no origin.
    left join int_clock_origins on int_listeners.participant_no = int_clock_origins.participant_no
    where
        ranked.file_recency = 1
        and ranked.recency = 1
        and int_listeners.grants_emotion_reports
)

select
    prompt_id,
    participant_id,
    status,
    prompted_at_local,
    opened_at_local,
    answered_at_local,
    prompted_elapsed_ms,
    answered_elapsed_ms
from pseudonymised
