-- One row is one point that the attacker rightly knows: of one grain, person and sample the place-th.
-- A sample is a walk through the person's pool: a drawn beginning, and drawn equal steps so short
-- that no point comes twice. So the points of a smaller sample are the first of a larger one.
with point_pool as (select * from temp.point_pool),

persons as (
    select distinct
        grain,
        person,
        pool_points
    from point_pool
),

samples as (select unnest(range(getvariable('samples'))) as sample),

places as (select unnest(range(getvariable('points'))) as place),

walks as (
    select
        persons.*,
        samples.sample,
        drawn_below(persons.pool_points, 'begin', persons.grain, persons.person, samples.sample, 0) as begin_place,
        1 + drawn_below(
            greatest(1, (persons.pool_points - 1) // greatest(1, getvariable('points') - 1)),
            'step', persons.grain, persons.person, samples.sample, 0
        ) as step
    from persons
    cross join samples
),

walked as (
    select
        walks.grain,
        walks.person,
        walks.sample,
        places.place,
        (walks.begin_place + places.place * walks.step) % walks.pool_points as pool_place
    from walks
    cross join places
    where places.place < walks.pool_points
),

chosen as (
    select
        walked.grain,
        walked.person,
        walked.sample,
        walked.place,
        point_pool.track,
        point_pool.bucket
    from walked
    inner join point_pool
        on
            walked.grain = point_pool.grain
            and walked.person = point_pool.person
            and walked.pool_place = point_pool.pool_place
)

select * from chosen
