-- One row is one play as a point of one grain (see knowledge.sql); plays in one bucket are one point.
with plays as (select * from temp.seen_plays),

points as (
    select
        cast(0 as tinyint) as grain,
        person,
        track,
        cast(0 as integer) as bucket
    from plays
    union all
    select
        cast(1 as tinyint) as grain,
        person,
        track,
        month as bucket
    from plays
    union all
    select
        cast(2 as tinyint) as grain,
        person,
        track,
        day as bucket
    from plays
    union all
    select
        cast(3 as tinyint) as grain,
        person,
        track,
        hour as bucket
    from plays
)

select * from points
