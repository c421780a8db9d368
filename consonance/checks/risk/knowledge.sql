-- One row is one kind of what an attacker knows of a play. grain: how fine the points are (0 track,
-- 1 track and month, 2 track and day, 3 track and hour); reach_days: by how many days they may be wrong.
with kinds (knowledge_no, knowledge, grain, reach_days) as (
    values
    (1, 'track', 0, 0),
    (2, 'track + month', 1, 0),
    (3, 'track + day', 2, 0),
    (4, 'track + hour', 3, 0),
    (5, 'track ± 7 days', 2, 7)
),

typed as (
    select
        knowledge_no,
        knowledge,
        cast(grain as tinyint) as grain,
        reach_days
    from kinds
)

select * from typed
