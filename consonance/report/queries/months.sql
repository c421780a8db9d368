-- One row is one participant and one month since their first play (1 is the first) that their history covers: how much
-- music they heard in it. Months of the calendar would mean nothing: dates are shifted person by person.
with participants as (
    select
        participant_id,
        first_play_at_local,
        cast(floor(date_diff('day', first_play_at_local, last_play_at_local) / 30.4375) as integer) as whole_months
    from marts.participants
    where plays > 0
),

plays as (
    select
        plays.participant_id,
        1 + cast(floor(date_diff('day', participants.first_play_at_local, plays.started_at_local) / 30.4375) as integer) as month,
        plays.ms_played
    from marts.plays as plays
    inner join participants on plays.participant_id = participants.participant_id
),

played as (
    select
        participant_id,
        month,
        sum(ms_played) / 3600000.0 as hours
    from plays
    group by participant_id, month
),

covered as (
    select
        participant_id,
        unnest(range(1, whole_months + 1)) as month
    from participants
),

personal as (
    select
        covered.participant_id,
        covered.month,
        coalesce(played.hours, 0) as hours
    from covered
    left join played on covered.participant_id = played.participant_id and covered.month = played.month
)

select * from personal
order by participant_id, month
