-- One row is one test with wrong points and one measure: how often a known person's own record matches
-- (true_positive), how often, with that record left out, somebody else's does (false_positive), and the
-- difference (advantage): what the attacker learns of whether the person is in the data.
with tests as (select * from temp.tests),

outcomes as (select * from temp.outcomes),

counted as (
    select
        knowledge_no,
        points,
        count(distinct person) as persons,
        count(*) as samples,
        count(*) filter (where is_own_among_them) as true_positives,
        count(*) filter (where candidates > cast(is_own_among_them as integer)) as false_positives
    from outcomes
    where wrong_points > 0
    group by knowledge_no, points
),

measured as (
    select
        *,
        1 as measure_no,
        'true_positive' as measure,
        true_positives as hits
    from counted
    union all
    select
        *,
        2 as measure_no,
        'false_positive' as measure,
        false_positives as hits
    from counted
    union all
    select
        *,
        3 as measure_no,
        'advantage' as measure,
        true_positives - false_positives as hits
    from counted
),

figures as (
    select
        'membership' as attack,
        tests.knowledge,
        tests.points,
        tests.wrong_points,
        measured.persons,
        measured.samples,
        measured.measure,
        measured.hits / measured.samples as value,
        case when measured.measure <> 'advantage' then wilson_low(measured.hits, measured.samples) end as low,
        case when measured.measure <> 'advantage' then wilson_high(measured.hits, measured.samples) end as high
    from measured
    inner join tests on measured.knowledge_no = tests.knowledge_no and measured.points = tests.points
    where tests.wrong_points > 0
    order by tests.knowledge_no, tests.points, measured.measure_no
)

select * from figures
