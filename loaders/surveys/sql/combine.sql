{# Which report an answer belongs to, and which reports were sent twice. Items that were stamped one by one belong together
   while they follow each other within the span, and none of them comes twice; the report has the moment of the first. #}
create or replace temp table report_starts as
with recursive answers as (
    select distinct
        map_no,
        participant_code,
        instrument,
        item,
        answered_at
    from judged_answers
    where reason is null and is_answer
),

repeats as (
    select
        *,
        lag(answered_at) over (partition by map_no, participant_code, instrument, item order by answered_at) as before
    from answers
),

moments as (
    select
        map_no,
        participant_code,
        instrument,
        answered_at,
        max(before) as item_before
    from repeats
    group by map_no, participant_code, instrument, answered_at
),

gaps as (
    select
        *,
        not list_contains(cast($maps_of_lines as integer[]), map_no)
        or coalesce(
            answered_at - lag(answered_at) over (partition by map_no, participant_code, instrument order by answered_at)
            > to_milliseconds(cast(list_extract(cast($spans as double[]), map_no) * 1000 as bigint)),
            true
        ) as is_gap
    from moments
),

batches as (
    select
        *,
        sum(cast(is_gap as integer)) over (
            partition by map_no, participant_code, instrument order by answered_at rows unbounded preceding
        ) as batch
    from gaps
),

starts as (
    select
        map_no,
        participant_code,
        instrument,
        batch,
        answered_at as started_at
    from batches
    where is_gap
    union all
    select
        starts.map_no,
        starts.participant_code,
        starts.instrument,
        starts.batch,
        min(batches.answered_at) as started_at
    from starts
    inner join batches
        on
            starts.map_no = batches.map_no
            and starts.participant_code = batches.participant_code
            and starts.instrument = batches.instrument
            and starts.batch = batches.batch
            and starts.started_at <= batches.item_before
    group by starts.map_no, starts.participant_code, starts.instrument, starts.batch, starts.started_at
)

select * from starts;

update judged_answers
set reported_at = belonging.started_at
from (
    select
        answers.rowid as row_no,
        starts.started_at
    from judged_answers as answers
    asof join report_starts as starts
        on
            answers.map_no = starts.map_no
            and answers.participant_code = starts.participant_code
            and answers.instrument = starts.instrument
            and answers.answered_at >= starts.started_at
    where answers.reason is null and answers.is_answer and starts.started_at <> answers.answered_at
) as belonging
where judged_answers.rowid = belonging.row_no;

update judged_answers
set reason = 'sent_twice'
from (
    with contents as (
        select
            map_no,
            participant_code,
            instrument,
            reported_at,
            max(answered_at) as ended_at,
            list_sort(list(distinct {'item': item, 'answer': answer})) as content
        from judged_answers
        where reason is null and is_answer
        group by map_no, participant_code, instrument, reported_at
    )

    select
        *,
        coalesce(
            content = lag(content) over reports
            and reported_at - lag(ended_at) over reports <= to_milliseconds(cast(list_extract(cast($spans as double[]), map_no) * 1000 as bigint)),
            false
        ) as is_copy
    from contents
    window reports as (partition by map_no, participant_code, instrument order by reported_at)
) as copies
where
    copies.is_copy
    and judged_answers.reason is null
    and judged_answers.is_answer
    and judged_answers.map_no = copies.map_no
    and judged_answers.participant_code = copies.participant_code
    and judged_answers.instrument = copies.instrument
    and judged_answers.reported_at = copies.reported_at;

-- Answers of an instrument that was recoded by one: some of them beyond one end of the scale, none at the other.
update judged_answers
set reason = 'looks_recoded'
where
    reason is null
    and is_answer
    and instrument in (
        select answers.instrument
        from judged_answers as answers
        inner join item_ranges as ranges
            on answers.instrument = ranges.instrument and answers.item = ranges.item
        where answers.reason is null and answers.is_answer and ranges.answer_max - ranges.answer_min <= {{ widest_scale }}
        group by answers.instrument
        having
            (
                min(answers.answer - ranges.answer_min) = -1
                and max(answers.answer - ranges.answer_max) < 0
                and min(ranges.answer_min) >= 1
            )
            or (max(answers.answer - ranges.answer_max) = 1 and min(answers.answer - ranges.answer_min) > 0)
    );
