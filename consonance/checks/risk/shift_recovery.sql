-- One row is one length of scrobble list and one measure: the share of known persons whose pseudonym
-- (pseudonym_named), and of these whose shift too (shift_found), has more votes than any other.
with targets as (select * from temp.targets),

scrobbles as (select * from temp.scrobbles),

votes as (select * from temp.votes),

list_sizes as (select unnest(getvariable('list_sizes')) as list_size),

lists as (
    select
        person,
        count(*) as entries
    from scrobbles
    group by person
),

ordered as (
    select
        *,
        row_number() over (
            partition by person, list_size
            order by votes desc, candidate, weeks
        ) as choice,
        lead(votes, 1, 0) over (
            partition by person, list_size
            order by votes desc, candidate, weeks
        ) as next_votes
    from votes
),

answers as (
    select *
    from ordered
    where choice = 1 and votes > next_votes
),

judged as (
    select
        list_sizes.list_size,
        targets.person,
        coalesce(answers.candidate = targets.person, false) as is_named,
        coalesce(answers.candidate = targets.person and answers.weeks = targets.shift_weeks, false) as is_shift_found
    from targets
    inner join lists on targets.person = lists.person
    inner join list_sizes on lists.entries >= list_sizes.list_size
    left join answers on targets.person = answers.person and list_sizes.list_size = answers.list_size
),

counted as (
    select
        list_sizes.list_size,
        count(judged.person) as persons,
        count(*) filter (where judged.is_named) as named,
        count(*) filter (where judged.is_shift_found) as found
    from list_sizes
    left join judged on list_sizes.list_size = judged.list_size
    group by list_sizes.list_size
),

measured as (
    select
        *,
        1 as measure_no,
        'pseudonym_named' as measure,
        named as hits
    from counted
    union all
    select
        *,
        2 as measure_no,
        'shift_found' as measure,
        found as hits
    from counted
),

figures as (
    select
        'shift_recovery' as attack,
        'scrobbles with UTC times' as knowledge,
        list_size as points,
        cast(floor(list_size * getvariable('wrong_share')) as integer) as wrong_points,
        persons,
        persons as samples,
        measure,
        hits / nullif(persons, 0) as value,
        wilson_low(hits, persons) as low,
        wilson_high(hits, persons) as high
    from measured
    order by measure_no, list_size
)

select * from figures
