-- One row is the participant: what they said of themselves, and what analysts see of it.
select
    participants.birth_year,
    participants.gender,
    participants.country,
    participants.timezone,
    marts.age_band,
    marts.gender as gender_for_analysts,
    marts.country as country_for_analysts
from vault.raw.participants
left join warehouse.marts.participants as marts on marts.participant_id = $pseudonym
where participants.participant_code = $code
