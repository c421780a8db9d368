-- One row is one number of candidate weeks: the share of persons whose shift is one of at most so many
-- that changes of the clock leave possible.
with targets as (select * from temp.targets),

clock_candidates as (select * from temp.clock_candidates),

limits as (select unnest([1, 10, 50]) as at_most),

narrowed as (
    select
        targets.person,
        count(clock_candidates.weeks) as candidates,
        coalesce(bool_or(clock_candidates.weeks = targets.shift_weeks), false) as is_true_among_them
    from targets
    left join clock_candidates on targets.person = clock_candidates.person
    where targets.plays > 0
    group by targets.person
),

counted as (
    select
        limits.at_most,
        count(narrowed.person) as persons,
        count(*) filter (where narrowed.is_true_among_them and narrowed.candidates <= limits.at_most) as hits
    from limits
    left join narrowed on true
    group by limits.at_most
),

figures as (
    select
        'clock_changes' as attack,
        'country and local times' as knowledge,
        cast(null as integer) as points,
        cast(null as integer) as wrong_points,
        persons,
        persons as samples,
        'shift_among_' || at_most as measure,
        hits / nullif(persons, 0) as value,
        wilson_low(hits, persons) as low,
        wilson_high(hits, persons) as high
    from counted
    order by at_most
)

select * from figures
