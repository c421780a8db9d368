-- One row is one scrobble list of one length, one pseudonym and one number of whole weeks: how many
-- entries the pseudonym has a play of that the weeks, and some offset of a time zone, would explain.
-- Offsets lie between -12 and +14 hours, on quarters of an hour.
with scrobbles as (select * from temp.scrobbles),

plays as (select * from temp.seen_plays),

list_sizes as (select unnest(getvariable('list_sizes')) as list_size),

aligned as (
    select
        scrobbles.person,
        scrobbles.place,
        plays.person as candidate,
        plays.local_ms - scrobbles.scrobbled_ms as apart_ms
    from plays
    inner join scrobbles on plays.track = scrobbles.track
),

weeks_apart as (
    select
        person,
        place,
        candidate,
        apart_ms,
        cast(floor((apart_ms + 43200000 + 1000 * getvariable('jitter_seconds')) / 604800000.0) as integer) as weeks
    from aligned
),

explained as (
    select distinct
        person,
        place,
        candidate,
        weeks
    from weeks_apart
    where
        apart_ms - cast(weeks as bigint) * 604800000 <= 50400000 + 1000 * getvariable('jitter_seconds')
        and abs(
            apart_ms - cast(weeks as bigint) * 604800000
            - round((apart_ms - cast(weeks as bigint) * 604800000) / 900000.0) * 900000
        ) <= 1000 * getvariable('jitter_seconds')
),

counted as (
    select
        explained.person,
        list_sizes.list_size,
        explained.candidate,
        explained.weeks,
        count(*) as votes
    from explained
    inner join list_sizes on explained.place < list_sizes.list_size
    group by explained.person, list_sizes.list_size, explained.candidate, explained.weeks
)

select * from counted
