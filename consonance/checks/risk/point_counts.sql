-- One row is one grain and person: how many points there are to know.
with points as (select * from temp.points),

distinct_points as (
    select distinct
        grain,
        person,
        track,
        bucket
    from points
),

counted as (
    select
        grain,
        person,
        count(*) as points
    from distinct_points
    group by grain, person
)

select * from counted
