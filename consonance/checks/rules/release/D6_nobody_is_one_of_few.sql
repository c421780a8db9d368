-- relation: warehouse.marts.participants
-- tier: controlled
-- what: At least five persons share every combination of age band, gender and country; a missing value is a value. Plays have a country only if the participant has one, and say whether they were abroad only if countries are released.
-- example: The only woman of 65-74 in Brazil; four persons without any of the three; plays in DE of somebody of whom only "Europe" is released; countries are left out, and one person alone has plays that do not say whether they were abroad.
-- why: Someone who knows these three things about a person finds the person among fewer than five (D6; Sweeney 2002). This rule counts again, and requires five whatever the study sets.
-- remedy: Look at consonance/release/generalisation.py and generalisations.sql, which choose how coarse demographics are; and at what makes them so: models/staging/stg_generalisation.sql, functions/wider_age_band.sql and wider_country.sql, models/anonymized/anon_participants.sql and anon_plays.sql.
with cells as (
    select list(participant_id) as ids
    from warehouse.marts.participants as participants
    group by age_band, gender, country
    having count(*) < 5
)
select unnest(ids) as participant_id
from cells
union all
select plays.participant_id
from warehouse.marts.plays as plays
left join warehouse.marts.participants as participants on participants.participant_id = plays.participant_id
where
    (plays.country is not null and not coalesce(regexp_full_match(participants.country, '[A-Z]{2}'), false))
    or (
        plays.is_abroad is not null
        and (select count(country) from warehouse.marts.participants) = 0
    )
