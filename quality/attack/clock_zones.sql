-- One row is one person and one time zone that the person may live in, as far as the marts tell: the country
-- names the zone. Who withholds the country may be in any zone of the study.
with participants as (select * from warehouse.marts.participants),

targets as (select * from temp.targets),

country_time_zones as (select * from temp.country_time_zones),

zones as (
    select distinct country_time_zones.time_zone
    from participants
    inner join country_time_zones on participants.country = country_time_zones.country
),

person_zones as (
    select
        targets.person,
        zones.time_zone
    from targets
    left join participants on targets.participant_id = participants.participant_id
    left join country_time_zones on participants.country = country_time_zones.country
    inner join zones on coalesce(country_time_zones.time_zone, zones.time_zone) = zones.time_zone
)

select * from person_zones
