-- One row is the whole study: its prompts, and what share of a person's prompts was answered, and after how many minutes;
-- the mean, and the median, over the persons.
with personal as (
    select
        participant_id,
        count(*) as prompts,
        avg(case when status = 'answered' then 1.0 else 0.0 end) as share_answered,
        median(delay_ms) / 60000 as minutes
    from marts.emotion_prompts
    where prompted_at_local is not null
    group by participant_id
)

select
    coalesce(cast(sum(prompts) as bigint), 0) as prompts,
    count(*) as persons,
    avg(share_answered) as mean_share,
    median(minutes) as median_minutes
from personal
