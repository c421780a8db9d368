-- One row is one person with a play: how many shifts changes of the clock leave possible, and whether the true one is one
-- of them.
with targets as (select * from temp.targets),

clock_candidates as (select * from temp.clock_candidates),

judged as (
    select
        targets.person,
        count(clock_candidates.weeks) as candidates,
        coalesce(bool_or(clock_candidates.weeks = targets.shift_weeks), false) as is_true_among_them
    from targets
    left join clock_candidates on targets.person = clock_candidates.person
    where targets.plays > 0
    group by targets.person
)

select * from judged
