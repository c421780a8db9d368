-- One row is one participant: the quadrant of mood of most of their reports; of equally many the pleasant one,
-- then the aroused one. 0 to 3: pleasant counts 2, aroused counts 1.
with emotion_reports as (select * from warehouse.marts.emotion_reports),

quadrants as (
    select
        participant_id,
        valence >= 0 as is_pleasant,
        arousal >= 0 as is_aroused,
        count(*) as reports
    from emotion_reports
    where valence is not null and arousal is not null
    group by participant_id, is_pleasant, is_aroused
),

ordered as (
    select
        *,
        row_number() over (
            partition by participant_id
            order by reports desc, is_pleasant desc, is_aroused desc
        ) as choice
    from quadrants
),

moods as (
    select
        participant_id,
        cast(is_pleasant as integer) * 2 + cast(is_aroused as integer) as mood
    from ordered
    where choice = 1
)

select * from moods
