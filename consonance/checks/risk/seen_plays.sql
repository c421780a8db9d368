-- One row is one play of a public track that the attacker sees, on the (shifted) local time of the marts.
with plays as (select * from warehouse.marts.plays),

persons as (select * from temp.seen_persons),

tracks as (select * from temp.seen_tracks),

placed as (
    select
        persons.person,
        tracks.track,
        epoch_ms(plays.started_at_local) as local_ms,
        cast(extract('year' from plays.started_at_local) * 12 + extract('month' from plays.started_at_local) as integer) as month,
        cast(floor(epoch_ms(plays.started_at_local) / 86400000.0) as integer) as day,
        cast(floor(epoch_ms(plays.started_at_local) / 3600000.0) as integer) as hour
    from plays
    inner join persons on plays.participant_id = persons.participant_id
    inner join tracks on plays.track_id = tracks.track_id
)

select * from placed
