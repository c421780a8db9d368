-- One row is one test: what kind of thing is known, of how many points, and how many wrong ones beside.
with knowledge as (select * from temp.knowledge),

sizes as (select unnest(range(1, getvariable('points') + 1)) as points),

noises as (select unnest([0, getvariable('wrong_points')]) as wrong_points),

crossed as (
    select
        knowledge.*,
        sizes.points,
        noises.wrong_points
    from knowledge
    cross join sizes
    cross join noises
)

select * from crossed
