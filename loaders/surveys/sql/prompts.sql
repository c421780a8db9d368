{# The prompts that land: of a table with one answer a line, those lines together that have the same prompt. #}
create or replace temp table landed_prompts as
with copies as (
    select
        map_no,
        line
    from judged_answers
    where is_answer
    group by map_no, line
    having bool_and(coalesce(reason, '') = 'sent_twice')
),

prompts as (
    select judged_prompts.*
    from judged_prompts
    anti join copies on judged_prompts.map_no = copies.map_no and judged_prompts.line = copies.line
    where judged_prompts.reason is null
),

reports as (
    select
        map_no,
        line,
        min(reported_at) as reported_at
    from judged_answers
    where is_answer and reason is null
    group by map_no, line
)

select
    participant_code,
    prompted_at,
    opened_at,
    case when status = 'answered' then answered_at end as answered_at,
    expires_at,
    status,
    line
from prompts
where not is_line
union all
select
    prompts.participant_code,
    prompts.prompted_at,
    prompts.opened_at,
    case when bool_or(prompts.status = 'answered') then coalesce(min(reports.reported_at), min(prompts.answered_at)) end as answered_at,
    prompts.expires_at,
    case
        when bool_or(prompts.status = 'answered') then 'answered'
        when bool_or(prompts.status = 'unfinished') then 'unfinished'
        else 'unanswered'
    end as status,
    min(prompts.line) as line
from prompts
left join reports on prompts.map_no = reports.map_no and prompts.line = reports.line
where prompts.is_line and coalesce(prompts.prompted_at, prompts.opened_at, prompts.expires_at) is not null
group by prompts.map_no, prompts.participant_code, prompts.prompted_at, prompts.opened_at, prompts.expires_at
