-- One row is one attack on the shift, one thing that the attacker knows and one number of weeks: the share of persons whose
-- shift is one of at most so many that are left possible.
with clock_changes as (select * from temp.clock_changes),

dated_values as (select * from temp.dated_values),

-- What is known stands here even if it says nothing about anybody.
known as (
    select *
    from
        (
            values
            (1, 'clock_changes', 'country and local times'),
            (2, 'dated_values', 'values that begin or end for others'),
            (3, 'dated_values', 'when histories of others end')
        ) as listed (position, attack, knowledge)
),

limits as (select unnest([1, 10, 50]) as at_most),

judged as (
    select
        'country and local times' as knowledge,
        candidates,
        is_true_among_them
    from clock_changes
    union all
    select
        knowledge,
        candidates,
        is_true_among_them
    from dated_values
),

counted as (
    select
        known.position,
        known.attack,
        known.knowledge,
        limits.at_most,
        count(judged.knowledge) as persons,
        count(*) filter (where judged.is_true_among_them and judged.candidates <= limits.at_most) as hits
    from known
    cross join limits
    left join judged on known.knowledge = judged.knowledge
    group by known.position, known.attack, known.knowledge, limits.at_most
),

figures as (
    select
        attack,
        knowledge,
        cast(null as integer) as points,
        cast(null as integer) as wrong_points,
        persons,
        persons as samples,
        'shift_among_' || at_most as measure,
        hits / nullif(persons, 0) as value,
        wilson_low(hits, persons) as low,
        wilson_high(hits, persons) as high
    from counted
    order by position, at_most
)

select * from figures
