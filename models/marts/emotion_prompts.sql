-- One row is one prompt to report emotions, or one questionnaire that a participant began.
with anon_emotion_prompts as (select * from {{ ref('anon_emotion_prompts') }}),

anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

reports as (
    select distinct
        participant_id,
        report_id,
        instrument,
        answered_elapsed_ms
    from anon_emotion_answers
),

-- Of several instruments that were answered at once, the first by name stands for the prompt.
first_reports as (
    select
        participant_id,
        report_id,
        answered_elapsed_ms,
        row_number() over (
            partition by participant_id, answered_elapsed_ms
            order by instrument nulls last, report_id
        ) as place
    from reports
),

joined as (
    select
        anon_emotion_prompts.prompt_id,
        anon_emotion_prompts.participant_id,
        first_reports.report_id,
        anon_emotion_prompts.status,
        anon_emotion_prompts.prompted_at_local,
        anon_emotion_prompts.opened_at_local,
        anon_emotion_prompts.answered_at_local,
        anon_emotion_prompts.answered_elapsed_ms - anon_emotion_prompts.prompted_elapsed_ms as delay_ms
    from anon_emotion_prompts
    left join first_reports
        on
            anon_emotion_prompts.participant_id = first_reports.participant_id
            and anon_emotion_prompts.answered_elapsed_ms = first_reports.answered_elapsed_ms
            and first_reports.place = 1
)

select * from joined
