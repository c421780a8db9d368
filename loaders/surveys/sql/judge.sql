{# Every prompt and every answer of a file, each with the reason why it is not landed. A row is an answer or, where a
   questionnaire was not answered, the prompt. #}
create or replace temp table judged_prompts as
with moments as (
    select
        map_no,
        line,
        any_value(moment) filter (where kind = 'prompted') as prompted_at,
        any_value(moment) filter (where kind = 'opened') as opened_at,
        any_value(moment) filter (where kind = 'answered') as answered_at,
        any_value(moment) filter (where kind = 'expires') as expires_at
    from survey_moments
    group by map_no, line
),

answered as (
    select
        map_no,
        line
    from survey_cells
    where answer_text is not null
    group by map_no, line
),

records as (
    select
        records.map_no,
        records.line,
        records.participant_code,
        moments.* exclude (map_no, line),
        coalesce(records.prompted, records.opened, records.answered, records.expires) is not null as says_when,
        answered.line is not null as has_answers,
        records.is_begun,
        list_contains(cast($maps_of_lines as integer[]), records.map_no) as is_line,
        case
            when
                list_contains(cast($maps_of_lines as integer[]), records.map_no)
                and (answered.line is not null or coalesce(records.prompted, records.opened, records.expires) is null)
                then 'answered'
            when coalesce(records.is_finished, records.answered is not null) then 'answered'
            when records.opened is not null or records.answered is not null or records.is_begun or answered.line is not null then 'unfinished'
            else 'unanswered'
        end as status
    from survey_records as records
    left join moments on records.map_no = moments.map_no and records.line = moments.line
    left join answered on records.map_no = answered.map_no and records.line = answered.line
)

select
    records.* exclude (says_when),
    case
        when records.participant_code is null then 'no_code'
        when people.participant_code is null then 'not_enrolled'
        when people.held_because is not null then people.held_because
        when records.status = 'answered' and records.answered_at is null then list_extract(cast($no_time as varchar[]), records.map_no)
        when records.says_when and coalesce(records.answered_at, records.opened_at, records.prompted_at, records.expires_at) is null then list_extract(cast($no_time as varchar[]), records.map_no)
    end as reason
from records
left join survey_people as people on records.participant_code = people.participant_code
-- A line without a moment and without an answer belongs to another questionnaire of the file.
where records.says_when or records.has_answers or records.is_begun or records.is_line;

create or replace temp table judged_answers as
with cells as (
    select
        *,
        coalesce(
            map_extract_value(labels, lower(answer_text)),
            try_cast(
                case when list_contains(cast($maps_with_commas as integer[]), map_no) then replace(answer_text, ',', '.') else answer_text end as double
            ) + added
        ) as answer,
        regexp_matches(answer_text, '{{ addresses }}') as is_address
    from survey_cells
    -- The answers of an unfinished questionnaire are not landed.
    where (map_no, line) in (select map_no, line from judged_prompts where status = 'answered')
),

rows as (
    select
        prompts.map_no,
        prompts.line,
        prompts.participant_code,
        prompts.status,
        prompts.answered_at,
        cells.line is not null or (prompts.is_line and prompts.status = 'answered') as is_answer,
        cells.instrument,
        cells.item,
        cells.answer,
        cells.answer_text,
        cells.is_address,
        prompts.reason as reason_of_prompt
    from judged_prompts as prompts
    left join cells
        on prompts.map_no = cells.map_no and prompts.line = cells.line
)

select
    * exclude (answer_text, is_address, reason_of_prompt),
    answered_at as reported_at,
    case
        when reason_of_prompt is not null then reason_of_prompt
        when not is_answer then null
        when coalesce(instrument, '') = '' or coalesce(item, '') = '' then 'no_instrument_or_item'
        when is_address or abs(answer) between {{ greatest }} and 1e300 then 'identifies'
        when answer_text is not null and (answer is null or not isfinite(answer)) then 'not_a_number'
    end as reason
from rows
