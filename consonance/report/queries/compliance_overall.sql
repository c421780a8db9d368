-- One row is one participant: their prompts, what share of them was answered, and after how many minutes usually.
select
    participant_id,
    'everyone' as whose,
    count(*) as prompts,
    avg(case when status = 'answered' then 1.0 else 0.0 end) as share_answered,
    median(delay_ms) / 60000 as minutes
from marts.emotion_prompts
where prompted_at_local is not null
group by participant_id
order by participant_id
