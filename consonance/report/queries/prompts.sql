-- One row is one prompt, with what was reported in answer to it: the frame for the question whether a prompt is answered
-- less often in a bad mood. Answers to several instruments at one moment are one row.
with emotion_prompts as (select * from marts.emotion_prompts where prompted_at_local is not null),

reported as (
    select
        participant_id,
        reported_at_local,
        avg(valence) as valence,
        avg(arousal) as arousal,
        avg(positive_affect) as positive_affect,
        avg(negative_affect) as negative_affect
    from marts.emotion_reports
    group by participant_id, reported_at_local
),

answered as (
    select
        emotion_prompts.participant_id,
        emotion_prompts.prompt_id,
        emotion_prompts.prompted_at_local,
        emotion_prompts.status,
        reported.valence,
        reported.arousal,
        reported.positive_affect,
        reported.negative_affect
    from emotion_prompts
    left join reported
        on
            emotion_prompts.participant_id = reported.participant_id
            and emotion_prompts.answered_at_local = reported.reported_at_local
)

select * from answered
order by participant_id, prompted_at_local, prompt_id
