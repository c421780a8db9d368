-- One row is one point out of which samples are drawn: all points of a person, in the order of their
-- draws; of many, a share of about pool_size that the draws decide. Nothing but speed needs the share.
with points as (select * from temp.points),

point_counts as (select * from temp.point_counts),

drawn as (
    select distinct
        points.grain,
        points.person,
        points.track,
        points.bucket
    from points
    inner join point_counts on points.grain = point_counts.grain and points.person = point_counts.person
    where drawn_share('pool', points.grain, points.person, points.track, points.bucket) * point_counts.points < getvariable('pool_size')
),

numbered as (
    select
        *,
        row_number() over (
            partition by grain, person
            order by drawn('order', grain, person, track, bucket), track, bucket
        ) - 1 as pool_place,
        count(*) over (partition by grain, person) as pool_points
    from drawn
)

select * from numbered
