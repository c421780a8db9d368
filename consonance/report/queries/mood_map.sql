-- One row is one cell of the plane of reported valence and arousal (-1 to 1 each): what share of a person's reports is in
-- it, as the mean over the persons. Cells of few persons are one row without place.
with reports as (
    select
        participant_id,
        least(cast(floor((valence + 1) / 2 * getvariable('cells_per_side')) as integer), getvariable('cells_per_side') - 1) as valence_cell,
        least(cast(floor((arousal + 1) / 2 * getvariable('cells_per_side')) as integer), getvariable('cells_per_side') - 1) as arousal_cell
    from marts.emotion_reports
    where valence is not null and arousal is not null
),

personal as (
    select
        participant_id,
        valence_cell,
        arousal_cell,
        count(*) as reports,
        count(*) / sum(count(*)) over (partition by participant_id) as share
    from reports
    group by participant_id, valence_cell, arousal_cell
),

sizes as (
    select
        valence_cell,
        arousal_cell,
        count(*) as persons
    from personal
    group by valence_cell, arousal_cell
),

placed as (
    select
        personal.participant_id,
        (personal.valence_cell, personal.arousal_cell) as cell,
        case when sizes.persons > getvariable('small_group') then personal.valence_cell end as valence_cell,
        case when sizes.persons > getvariable('small_group') then personal.arousal_cell end as arousal_cell,
        personal.reports,
        personal.share
    from personal
    inner join sizes on personal.valence_cell = sizes.valence_cell and personal.arousal_cell = sizes.arousal_cell
),

cells as (
    select
        valence_cell,
        arousal_cell,
        count(distinct cell) as cells,
        count(distinct participant_id) as persons,
        cast(sum(reports) as bigint) as reports,
        sum(share) / (select count(distinct participant_id) from personal) as mean_share
    from placed
    group by valence_cell, arousal_cell
)

select * from cells
order by valence_cell, arousal_cell
