-- One row is one person and one thing that the attacker knows: how many shifts it leaves possible, and whether the true one
-- is one of them. The attacker has the true days of everybody else: of an export of their own, or of others.
with targets as (select * from temp.targets),

value_spans as (select * from temp.value_spans),

truth as (select * from temp.truth),

persons as (select * from temp.seen_persons),

true_spans as (
    select
        value_spans.person,
        value_spans.column_name,
        value_spans.value,
        value_spans.first_day - 7 * truth.shift_weeks as first_day,
        value_spans.last_day - 7 * truth.shift_weeks as last_day
    from value_spans
    inner join persons on value_spans.person = persons.person
    inner join truth on persons.participant_id = truth.pseudonym
),

others as (
    select
        targets.person,
        targets.shift_weeks,
        spans.column_name,
        spans.value,
        spans.first_day,
        spans.last_day,
        min(true_spans.first_day, 3) as first_days,
        max(true_spans.last_day, 3) as last_days,
        min(true_spans.last_day) as first_end
    from targets
    inner join value_spans as spans on targets.person = spans.person
    inner join true_spans
        on
            spans.column_name = true_spans.column_name
            and spans.value is not distinct from true_spans.value
            and targets.person <> true_spans.person
    group by all
),

-- A value begins, or ends, on a date if three others begin, or end, within four weeks. That a person begins to use a device
-- is no date.
bounds as (
    select
        person,
        shift_weeks,
        'values that begin or end for others' as knowledge,
        case
            when len(last_days) = 3 and last_days[3] >= last_days[1] - 28
                then ceil((last_day - last_days[1] - 6) / 7.0)
        end as least,
        case
            when len(first_days) = 3 and first_days[3] <= first_days[1] + 28
                then floor((first_day - first_days[1] + 6) / 7.0)
        end as most
    from others
    where column_name <> ''
    union all
    select
        person,
        shift_weeks,
        'when histories of others end' as knowledge,
        ceil((last_day - last_days[1] - 6) / 7.0) as least,
        floor((last_day - first_end + 6) / 7.0) as most
    from others
    where column_name = ''
),

narrowed as (
    select
        person,
        knowledge,
        shift_weeks,
        greatest(coalesce(max(least), -getvariable('max_shift_weeks')), -getvariable('max_shift_weeks')) as least,
        least(coalesce(min(most), getvariable('max_shift_weeks')), getvariable('max_shift_weeks')) as most
    from bounds
    group by person, knowledge, shift_weeks
),

judged as (
    select
        person,
        knowledge,
        shift_weeks between least and most as is_true_among_them,
        -- A shift is never 0.
        most - least + case when 0 between least and most then 0 else 1 end as candidates
    from narrowed
)

select * from judged
