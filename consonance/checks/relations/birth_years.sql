-- Every birth year is another one of the same age band at the study's `as_of`. The bands stand here once more: those of
-- functions/age_band.sql would hide a fault of that function.
create or replace temp table other_years as
with ages as (
    select
        participants.participant_code,
        participants.birth_year,
        year(study.as_of) - participants.birth_year as age
    from vault.raw.participants
    cross join vault.raw.study
    where participants.birth_year is not null
),

bands as (
    select
        participant_code,
        birth_year,
        age,
        [18, 25, 35, 45, 55, 65, 75] as bounds
    from ages
)

select
    participant_code,
    -- The farthest that is in the band.
    list_filter(
        [9, -9, 8, -8, 7, -7, 6, -6, 5, -5, 4, -4, 3, -3, 2, -2, 1, -1],
        lambda years: len(list_filter(bounds, lambda bound: bound <= age - years)) = len(list_filter(bounds, lambda bound: bound <= age))
    )[1] + birth_year as birth_year
from bands;

update vault.raw.participants as participants
set birth_year = other_years.birth_year
from other_years
where participants.participant_code = other_years.participant_code;
