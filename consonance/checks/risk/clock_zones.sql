-- One row is one person and one time zone that the person may live in, by the country or region in the marts. A person
-- without both may be in any zone of the study; in a study without any country or region, in any zone.
with participants as (select * from warehouse.marts.participants),

targets as (select * from temp.targets),

country_time_zones as (select * from temp.country_time_zones),

shown as (
    select distinct country as place
    from participants
    where country is not null
),

zones as (
    select distinct
        country_time_zones.time_zone,
        shown.place
    from country_time_zones
    left join shown on shown.place in (country_time_zones.country, country_time_zones.region)
    where shown.place is not null or (select count(*) from shown) = 0
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
