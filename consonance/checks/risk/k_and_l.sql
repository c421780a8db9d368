-- One row is one measure of how many persons, not rows, share age band, gender and country (k), and how
-- many moods those of a cell are known to have (l). A missing value is a value. k-anonymity: Sweeney 2002,
-- doi:10.1142/S0218488502001648; l-diversity: Machanavajjhala et al. 2007, doi:10.1145/1217299.1217302.
with participants as (select * from warehouse.marts.participants),

moods as (select * from temp.moods),

cells as (
    select
        participants.age_band,
        participants.gender,
        participants.country,
        count(*) as persons,
        count(moods.mood) as persons_with_mood,
        count(distinct moods.mood) as moods
    from participants
    left join moods on participants.participant_id = moods.participant_id
    group by participants.age_band, participants.gender, participants.country
),

-- A cell of which nobody reported a mood gives none away.
measured as (
    select
        cast(coalesce(sum(persons), 0) as bigint) as persons,
        cast(coalesce(sum(persons_with_mood), 0) as bigint) as persons_with_mood,
        count(*) as cells,
        min(persons) as smallest_cell,
        count(*) filter (where persons < getvariable('k_at_least')) as cells_below_k,
        coalesce(sum(persons) filter (where persons < getvariable('k_at_least')), 0) as persons_in_cells_below_k,
        min(moods) filter (where moods > 0) as smallest_l,
        count(*) filter (where moods > 0 and moods < getvariable('l_at_least')) as cells_below_l,
        coalesce(sum(persons_with_mood) filter (where moods < getvariable('l_at_least')), 0) as persons_in_cells_below_l
    from cells
),

listed as (
    select
        persons,
        unnest([
            {'attack': 'k', 'measure': 'cells', 'value': cast(cells as double)},
            {'attack': 'k', 'measure': 'smallest_cell', 'value': cast(smallest_cell as double)},
            {'attack': 'k', 'measure': 'cells_below_k', 'value': cast(cells_below_k as double)},
            {'attack': 'k', 'measure': 'persons_in_cells_below_k', 'value': cast(persons_in_cells_below_k as double)}
        ], recursive := true)
    from measured
    union all
    select
        persons_with_mood as persons,
        unnest([
            {'attack': 'l', 'measure': 'smallest_l', 'value': cast(smallest_l as double)},
            {'attack': 'l', 'measure': 'cells_below_l', 'value': cast(cells_below_l as double)},
            {'attack': 'l', 'measure': 'persons_in_cells_below_l', 'value': cast(persons_in_cells_below_l as double)}
        ], recursive := true)
    from measured
),

figures as (
    select
        attack,
        'age band, gender, country' as knowledge,
        cast(null as integer) as points,
        cast(null as integer) as wrong_points,
        persons,
        cast(null as bigint) as samples,
        measure,
        value,
        cast(null as double) as low,
        cast(null as double) as high
    from listed
)

select * from figures
