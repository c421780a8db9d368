-- One row is one month since the first play of a person (1 is the first): how much music the persons heard in it whose
-- history covers the whole of it. Months of the calendar would mean nothing: dates are shifted person by person.
-- Months of few persons are left out.
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

months as (
    select
        covered.month,
        count(*) as persons,
        avg(coalesce(played.hours, 0)) as mean_hours
    from covered
    left join played on covered.participant_id = played.participant_id and covered.month = played.month
    group by covered.month
    having count(*) > getvariable('small_group')
)

select * from months
order by month
