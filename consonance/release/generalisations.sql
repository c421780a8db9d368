-- One row is one way to make demographics coarser: three levels, and with or without a second mood asked of each
-- cell. Its loss, whose demographics it withholds, and the k and l that are left. Moods are counted as the attack on l
-- counts them (consonance/checks/risk/moods.sql). Loss: the normalised certainty
-- penalty (Xu et al. 2006, doi:10.1145/1150402.1150504), 0 for nothing lost and 1 for everything.
with participants as (select * from warehouse.anonymized.anon_participants),

moods as (select * from temp.moods),

country_time_zones as (select * from warehouse.reference.country_time_zones),

people as (
    select
        participants.participant_id,
        participants.age_band,
        participants.gender,
        participants.country,
        country_time_zones.region,
        moods.mood
    from participants
    left join moods on participants.participant_id = moods.participant_id
    left join country_time_zones on participants.country = country_time_zones.country
),

levels as (
    select
        ages.age_level,
        countries.country_level,
        genders.gender_level,
        wishes.asks_for_moods
    from (select unnest(range(4)) as age_level) as ages
    cross join (select unnest(range(3)) as country_level) as countries
    cross join (select unnest(range(2)) as gender_level) as genders
    cross join (select unnest([true, false]) as asks_for_moods) as wishes
),

-- What it loses that a value stands for several: the others among all that there are.
bands as (
    select unnest(['under 18', '18-24', '25-34', '35-44', '45-54', '55-64', '65-74', '75 and over']) as age_band
),

age_losses as (
    select
        ages.age_level,
        bands.age_band,
        case
            when wider_age_band(bands.age_band, ages.age_level) is null then 1.0
            else (count(*) over (partition by ages.age_level, wider_age_band(bands.age_band, ages.age_level)) - 1) / 7
        end as loss
    from bands
    cross join (select unnest(range(4)) as age_level) as ages
),

country_losses as (
    select
        country,
        (count(*) over (partition by region) - 1) / (count(*) over () - 1) as loss
    from country_time_zones
),

generalised as (
    select
        levels.*,
        people.participant_id,
        people.mood,
        wider_age_band(people.age_band, levels.age_level) as age_band,
        case when levels.gender_level = 0 then people.gender end as gender,
        wider_country(people.country, people.region, levels.country_level) as country,
        cast(people.age_band is not null as integer)
        + cast(people.gender is not null as integer)
        + cast(people.country is not null as integer) as values_released,
        case when people.age_band is not null then coalesce(age_losses.loss, 1) else 0 end
        + case when people.gender is not null then levels.gender_level else 0 end
        + case
            when people.country is null or levels.country_level = 0 then 0
            when levels.country_level = 1 then coalesce(country_losses.loss, 1)
            else 1
        end as loss
    from levels
    cross join people
    left join age_losses on levels.age_level = age_losses.age_level and people.age_band = age_losses.age_band
    left join country_losses on people.country = country_losses.country
),

marked as (
    select
        *,
        coalesce(age_band, gender, country) is null as is_empty
    from generalised
),

-- A cell is small if it has few persons, or if all whose mood is known have one mood and that is asked about.
cells as (
    select
        *,
        count(*) over cell as persons,
        (
            count(*) over cell < getvariable('k')
            or (asks_for_moods and count(mood) over cell > 0 and count(distinct mood) over cell < getvariable('l'))
        ) and not is_empty as must_be_withheld,
        row_number() over (
            partition by age_level, country_level, gender_level, asks_for_moods, age_band, gender, country
            order by participant_id
        ) as place
    from marked
    window cell as (partition by age_level, country_level, gender_level, asks_for_moods, age_band, gender, country)
),

-- Those who are withheld join those without any value: a cell like any other, which must not be small either. It is
-- filled up from cells that have persons to spare.
spare as (
    select
        *,
        not is_empty and not must_be_withheld and place > getvariable('k') as can_be_spared,
        sum(cast(is_empty or must_be_withheld as integer)) over (
            partition by age_level, country_level, gender_level, asks_for_moods
        ) as without_values
    from cells
),

chosen as (
    select
        *,
        must_be_withheld
        or (
            can_be_spared
            and without_values between 1 and getvariable('k') - 1
            and row_number() over (
                partition by age_level, country_level, gender_level, asks_for_moods, can_be_spared
                order by persons desc, participant_id
            ) <= getvariable('k') - without_values
        ) as is_withheld
    from spare
),

left_over as (
    select
        age_level,
        country_level,
        gender_level,
        asks_for_moods,
        case when not is_withheld then age_band end as age_band,
        case when not is_withheld then gender end as gender,
        case when not is_withheld then country end as country,
        count(*) as persons,
        count(distinct mood) as moods,
        count(mood) as persons_with_mood
    from chosen
    group by all
),

measured as (
    select
        age_level,
        country_level,
        gender_level,
        asks_for_moods,
        count(*) as cells,
        min(persons) as k,
        min(moods) filter (where moods > 0) as l,
        count(*) filter (where moods between 1 and getvariable('l') - 1) as cells_below_l,
        coalesce(sum(persons_with_mood) filter (where moods between 1 and getvariable('l') - 1), 0) as persons_below_l
    from left_over
    group by age_level, country_level, gender_level, asks_for_moods
),

losses as (
    select
        age_level,
        country_level,
        gender_level,
        asks_for_moods,
        count(*) as persons,
        count(*) filter (where is_withheld) as withheld,
        coalesce(list(participant_id order by participant_id) filter (where is_withheld), []) as withheld_ids,
        coalesce(sum(case when is_withheld then values_released else loss end) / nullif(sum(values_released), 0), 0) as loss
    from chosen
    group by age_level, country_level, gender_level, asks_for_moods
),

ways as (
    select
        losses.*,
        measured.cells,
        measured.k,
        measured.l,
        cast(measured.cells_below_l as integer) as cells_below_l,
        cast(measured.persons_below_l as integer) as persons_below_l
    from losses
    inner join measured using (age_level, country_level, gender_level, asks_for_moods)
)

select * from ways
