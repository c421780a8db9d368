-- Every time zone is replaced by another one that has had the same offsets since 2000, best of another continent, where
-- there is one. Whoever has an earlier moment keeps the zone.
create or replace temp table zones_of_people as
select distinct timezone as zone
from vault.raw.participants
where timezone is not null;

-- First a glance: zones that agree at seventy moments of three decades, the two best of them for each.
create or replace temp table likely_zones as
with moments as (
    select unnest(range(timestamp '2000-01-01', timestamp '2031-01-01', interval 160 day)) as moment
),

clocks as (
    select
        names.name as zone,
        hash(list(timezone(names.name, timezone('UTC', moments.moment)) order by moments.moment)) as clock
    from pg_timezone_names() as names
    cross join moments
    group by names.name
)

select
    people.zone,
    others.zone as other_zone
from zones_of_people as people
inner join clocks on people.zone = clocks.zone
inner join clocks as others on clocks.clock = others.clock and people.zone <> others.zone
qualify row_number() over (
    partition by people.zone
    order by split_part(people.zone, '/', 1) = split_part(others.zone, '/', 1), md5(others.zone)
) <= 2;

-- Then every week, and every hour of the weeks in which the clock is changed.
create or replace temp table same_zones as
with weeks as (
    select unnest(range(timestamp '2000-01-01', timestamp '2031-01-01', interval 7 day)) as week
),

clocks as (
    select
        people.zone,
        weeks.week,
        timezone(people.zone, timezone('UTC', weeks.week)) - weeks.week as ahead
    from zones_of_people as people
    cross join weeks
),

changes as (
    select
        zone,
        week
    from clocks
    qualify ahead <> lead(ahead) over (partition by zone order by week)
),

moments as (
    select
        zone,
        week as moment
    from clocks
    union all
    select
        zone,
        week + to_hours(unnest(range(168))) as moment
    from changes
),

checked as (
    select
        likely_zones.zone,
        likely_zones.other_zone
    from likely_zones
    inner join moments on likely_zones.zone = moments.zone
    group by likely_zones.zone, likely_zones.other_zone
    having bool_and(
        timezone(likely_zones.zone, timezone('UTC', moments.moment))
        = timezone(likely_zones.other_zone, timezone('UTC', moments.moment))
    )
)

select
    zone,
    min_by(other_zone, split_part(zone, '/', 1) = split_part(other_zone, '/', 1)) as other_zone
from checked
group by zone;

create or replace temp table early as
with moments as (
    select participant_no, min(ts) as moment from vault.raw.extended_plays group by participant_no
    union all
    select participant_no, min(end_time) from vault.raw.account_plays group by participant_no
    union all
    select keyring.participant_no, min(answers.answered_at)
    from vault.raw.survey_answers as answers
    inner join vault.raw.keyring on answers.participant_code = keyring.participant_code
    group by keyring.participant_no
    union all
    select keyring.participant_no, min(least(prompts.prompted_at, prompts.opened_at, prompts.answered_at))
    from vault.raw.survey_prompts as prompts
    inner join vault.raw.keyring on prompts.participant_code = keyring.participant_code
    group by keyring.participant_no
)

select keyring.participant_code
from moments
inner join vault.raw.keyring on moments.participant_no = keyring.participant_no
where moments.moment < timestamp '2001-01-01';

update vault.raw.participants as participants
set timezone = same_zones.other_zone
from same_zones
where
    participants.timezone = same_zones.zone
    and participants.participant_code not in (select participant_code from early);
