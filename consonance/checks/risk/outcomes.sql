-- One row is one sample under one test, of a person who has that many points: how many candidates have
-- at least as many of the known points as are right, and whether the person is one of them.
with tests as (select * from temp.tests),

point_counts as (select * from temp.point_counts),

matches as (select * from temp.matches),

samples as (select unnest(range(getvariable('samples'))) as sample),

tried as (
    select
        tests.knowledge_no,
        tests.points,
        tests.wrong_points,
        point_counts.person,
        samples.sample
    from tests
    inner join point_counts on tests.grain = point_counts.grain and tests.points <= point_counts.points
    cross join samples
),

alike as (
    select
        knowledge_no,
        person,
        sample,
        right_mask,
        wrong_mask,
        count(*) as candidates,
        count(*) filter (where candidate = person) as own
    from matches
    group by knowledge_no, person, sample, right_mask, wrong_mask
),

found as (
    select
        tests.knowledge_no,
        tests.points,
        tests.wrong_points,
        alike.person,
        alike.sample,
        sum(alike.candidates) as candidates,
        sum(alike.own) as own
    from alike
    inner join tests on alike.knowledge_no = tests.knowledge_no
    where
        bit_count(alike.right_mask & ((1 << tests.points) - 1))
        + case when tests.wrong_points > 0 then bit_count(alike.wrong_mask) else 0 end >= tests.points
    group by tests.knowledge_no, tests.points, tests.wrong_points, alike.person, alike.sample
),

judged as (
    select
        tried.*,
        cast(coalesce(found.candidates, 0) as integer) as candidates,
        coalesce(found.own, 0) > 0 as is_own_among_them
    from tried
    left join found
        on
            tried.knowledge_no = found.knowledge_no
            and tried.points = found.points
            and tried.wrong_points = found.wrong_points
            and tried.person = found.person
            and tried.sample = found.sample
)

select * from judged
