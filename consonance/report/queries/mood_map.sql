-- One row is one participant and one cell of the plane of reported valence and arousal (-1 to 1 each): what share of their
-- reports is in it.
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
)

select * from personal
order by participant_id, valence_cell, arousal_cell
