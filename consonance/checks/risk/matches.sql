-- One row is one sample and one candidate who has a point of it. right_mask, wrong_mask: which ones, a
-- bit for each place.
with knowledge as (select * from temp.knowledge),

points as (select * from temp.points),

right_points as (select * from temp.right_points),

wrong_points as (select * from temp.wrong_points),

known as (
    select
        knowledge.knowledge_no,
        right_points.person,
        right_points.sample,
        right_points.track,
        right_points.bucket,
        cast(1 << right_points.place as integer) as right_bit,
        0 as wrong_bit
    from right_points
    inner join knowledge on right_points.grain = knowledge.grain
    union all
    select
        knowledge_no,
        person,
        sample,
        track,
        bucket,
        0 as right_bit,
        cast(1 << place as integer) as wrong_bit
    from wrong_points
),

reached as (
    select
        known.knowledge_no,
        knowledge.grain,
        known.person,
        known.sample,
        known.track,
        cast(unnest(range(known.bucket - knowledge.reach_days, known.bucket + knowledge.reach_days + 1)) as integer) as bucket,
        known.right_bit,
        known.wrong_bit
    from known
    inner join knowledge on known.knowledge_no = knowledge.knowledge_no
),

wanted as (
    select distinct
        grain,
        track,
        bucket
    from reached
),

held as (
    select distinct
        points.grain,
        points.person as candidate,
        points.track,
        points.bucket
    from points
    inner join wanted on points.grain = wanted.grain and points.track = wanted.track and points.bucket = wanted.bucket
),

matched as (
    select
        reached.knowledge_no,
        reached.person,
        reached.sample,
        held.candidate,
        bit_or(reached.right_bit) as right_mask,
        bit_or(reached.wrong_bit) as wrong_mask
    from reached
    inner join held on reached.grain = held.grain and reached.track = held.track and reached.bucket = held.bucket
    group by reached.knowledge_no, reached.person, reached.sample, held.candidate
)

select * from matched
