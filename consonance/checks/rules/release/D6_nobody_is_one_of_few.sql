-- relation: warehouse.marts.participants
-- tier: controlled
-- what: Every combination of age band, gender and country is shared by five persons or more, an empty value being a value; plays tell no country of whoever's own country is not told.
-- example: The only woman of 65-74 in Brazil; four who tell nothing; plays in DE of somebody of whom only Europe is told.
-- why: Whoever knows these three of somebody finds them among fewer than five (D6; Sweeney 2002). The rule counts again, and keeps to five whatever the study sets.
-- remedy: Look at consonance/release/generalisation.py and generalisations.sql.
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
where plays.country is not null and not coalesce(regexp_full_match(participants.country, '[A-Z]{2}'), false)
