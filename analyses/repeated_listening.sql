-- What share of a participant's plays is their 50 most played tracks? One row is one participant.
with plays as (select * from {{ ref('plays') }}),

track_counts as (
    select
        participant_id,
        track_id,
        count(*) as plays
    from plays
    where
        is_counted
        and content_type = 'track'
        and track_id is not null
    group by participant_id, track_id
),

ranked as (
    select
        *,
        row_number() over (partition by participant_id order by plays desc, track_id asc) as place
    from track_counts
),

shares as (
    select
        participant_id,
        count(*) as tracks,
        sum(plays) as counted_plays,
        round(sum(plays) * 1.0 / count(*), 2) as plays_per_track,
        round(sum(case when place <= 50 then plays else 0 end) * 1.0 / sum(plays), 3) as share_of_top_50
    from ranked
    group by participant_id
)

select * from shares
order by share_of_top_50 desc, participant_id
