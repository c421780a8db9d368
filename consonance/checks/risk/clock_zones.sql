-- One row is one person and one time zone that the person may live in, as far as the marts tell: the country
-- names the zone, a region those of its countries. Who withholds both may be in any zone of the study; of
-- a study that tells neither of anybody, in any zone.
with participants as (select * from warehouse.marts.participants),

targets as (select * from temp.targets),

country_time_zones as (select * from temp.country_time_zones),

told as (
    select distinct country as place
    from participants
    where country is not null
),

zones as (
    select distinct
        country_time_zones.time_zone,
        told.place
    from country_time_zones
    left join told on told.place in (country_time_zones.country, country_time_zones.region)
    where told.place is not null or (select count(*) from told) = 0
),

person_zones as (
    select distinct
        targets.person,
        zones.time_zone
    from targets
    left join participants on targets.participant_id = participants.participant_id
    inner join zones on coalesce(participants.country, zones.place, '') = coalesce(zones.place, '')
)

select * from person_zones
