-- One row is one test: the share of samples that one person alone matches. De Montjoye et al. 2013,
-- doi:10.1038/srep01376; with wrong points Narayanan & Shmatikov 2008, doi:10.1109/SP.2008.33.
with tests as (select * from temp.tests),

outcomes as (select * from temp.outcomes),

counted as (
    select
        knowledge_no,
        points,
        wrong_points,
        count(distinct person) as persons,
        count(*) as samples,
        count(*) filter (where candidates = 1 and is_own_among_them) as singled_out
    from outcomes
    group by knowledge_no, points, wrong_points
),

figures as (
    select
        'unicity' as attack,
        tests.knowledge,
        tests.points,
        tests.wrong_points,
        coalesce(counted.persons, 0) as persons,
        coalesce(counted.samples, 0) as samples,
        'singled_out' as measure,
        counted.singled_out / counted.samples as value,
        wilson_low(counted.singled_out, counted.samples) as low,
        wilson_high(counted.singled_out, counted.samples) as high
    from tests
    left join counted
        on
            tests.knowledge_no = counted.knowledge_no
            and tests.points = counted.points
            and tests.wrong_points = counted.wrong_points
    order by tests.wrong_points, tests.knowledge_no, tests.points
)

select * from figures
