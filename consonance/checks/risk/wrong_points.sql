-- One row is one point that the attacker wrongly believes to be a person's: one of somebody else's that
-- the person does not have. Where twenty draws find too few, nobody has what the attacker believes.
with knowledge as (select * from temp.knowledge),

points as (select * from temp.points),

point_pool as (select * from temp.point_pool),

right_points as (select * from temp.right_points),

targets as (
    select distinct
        grain,
        person,
        sample
    from right_points
),

others as (
    select distinct
        grain,
        person,
        pool_points
    from point_pool
),

numbered_others as (
    select
        *,
        row_number() over (partition by grain order by person) - 1 as other_no,
        count(*) over (partition by grain) as persons
    from others
),

tries as (select unnest(range(20)) as try_no),

drawn_others as (
    select
        targets.grain,
        targets.person,
        targets.sample,
        tries.try_no,
        (
            own.other_no + 1
            + drawn_below(nullif(own.persons - 1, 0), 'other', targets.grain, targets.person, targets.sample, tries.try_no)
        ) % own.persons as other_no,
        drawn('wrong', targets.grain, targets.person, targets.sample, tries.try_no) as wrong_draw
    from targets
    inner join numbered_others as own on targets.grain = own.grain and targets.person = own.person
    cross join tries
),

-- Materialized: joined the other way round, every point of a pool would meet every draw.
placed as materialized (
    select
        drawn_others.grain,
        drawn_others.person,
        drawn_others.sample,
        drawn_others.try_no,
        numbered_others.person as other,
        cast(drawn_others.wrong_draw % cast(numbered_others.pool_points as ubigint) as bigint) as pool_place
    from drawn_others
    inner join numbered_others
        on drawn_others.grain = numbered_others.grain and drawn_others.other_no = numbered_others.other_no
),

believed as (
    select
        placed.grain,
        placed.person,
        placed.sample,
        point_pool.track,
        point_pool.bucket,
        min(placed.try_no) as try_no
    from placed
    inner join point_pool
        on
            placed.grain = point_pool.grain
            and placed.other = point_pool.person
            and placed.pool_place = point_pool.pool_place
    group by placed.grain, placed.person, placed.sample, point_pool.track, point_pool.bucket
),

reached as (
    select
        knowledge.knowledge_no,
        believed.*,
        unnest(range(believed.bucket - knowledge.reach_days, believed.bucket + knowledge.reach_days + 1)) as reached_bucket
    from believed
    inner join knowledge on believed.grain = knowledge.grain
),

true_after_all as (
    select distinct
        reached.knowledge_no,
        reached.person,
        reached.sample,
        reached.try_no
    from reached
    inner join points
        on
            reached.grain = points.grain
            and reached.person = points.person
            and reached.track = points.track
            and reached.reached_bucket = points.bucket
),

wrong as (
    select
        knowledge.knowledge_no,
        believed.person,
        believed.sample,
        believed.track,
        believed.bucket,
        row_number() over (
            partition by knowledge.knowledge_no, believed.person, believed.sample
            order by believed.try_no
        ) - 1 as place
    from believed
    inner join knowledge on believed.grain = knowledge.grain
    left join true_after_all
        on
            knowledge.knowledge_no = true_after_all.knowledge_no
            and believed.person = true_after_all.person
            and believed.sample = true_after_all.sample
            and believed.try_no = true_after_all.try_no
    where true_after_all.person is null
),

first_ones as (
    select *
    from wrong
    where place < getvariable('wrong_points')
)

select * from first_ones
