-- One row is one participant and one part of the day: what share of their prompts of that time was answered. A
-- questionnaire that was begun and not finished counts as not answered.
with prompts as (
    select
        participant_id,
        hour(prompted_at_local) // getvariable('hours') * getvariable('hours') as hour,
        case when status = 'answered' then 1.0 else 0.0 end as is_answered
    from marts.emotion_prompts
    where prompted_at_local is not null
),

personal as (
    select
        participant_id,
        hour,
        count(*) as prompts,
        avg(is_answered) as share_answered
    from prompts
    group by participant_id, hour
)

select * from personal
order by participant_id, hour
