-- One row is one person whose shift is attacked: everybody, or of a larger study as many as the attacker
-- has time for.
with persons as (select * from temp.seen_persons),

seen_plays as (select * from temp.seen_plays),

truth as (select * from temp.truth),

play_counts as (
    select
        person,
        count(*) as plays
    from seen_plays
    group by person
),

targets as (
    select
        persons.person,
        persons.participant_id,
        truth.participant_no,
        truth.shift_weeks,
        coalesce(play_counts.plays, 0) as plays
    from persons
    inner join truth on persons.participant_id = truth.pseudonym
    left join play_counts on persons.person = play_counts.person
    order by drawn('target', persons.person, 0, 0, 0), persons.person
    limit getvariable('targets')
)

select * from targets
