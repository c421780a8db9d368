-- One row is one part of the day and one outcome: how far reports are above or below the person's own mean of all their
-- reports; the mean over the persons, with its standard deviation between them.
-- Parts of the day with reports of few persons are one row without hour.
with reports as (
    unpivot (
        select
            participant_id,
            hour(reported_at_local) // getvariable('hours') * getvariable('hours') as hour,
            valence,
            arousal,
            positive_affect,
            negative_affect
        from marts.emotion_reports
    )
    on valence, arousal, positive_affect, negative_affect
    into name outcome value answer
),

centred as (
    select
        participant_id,
        outcome,
        hour,
        answer - avg(answer) over (partition by participant_id, outcome) as deviation
    from reports
),

personal as (
    select
        participant_id,
        outcome,
        hour,
        count(*) as reports,
        avg(deviation) as deviation
    from centred
    group by participant_id, outcome, hour
),

sizes as (
    select
        outcome,
        hour,
        count(*) as persons
    from personal
    group by outcome, hour
),

placed as (
    select
        personal.participant_id,
        personal.outcome,
        personal.hour as hour_of_cell,
        case when sizes.persons > getvariable('small_group') then personal.hour end as hour,
        personal.reports,
        personal.deviation
    from personal
    inner join sizes on personal.outcome = sizes.outcome and personal.hour = sizes.hour
    where personal.outcome = getvariable('outcome')
),

cells as (
    select
        hour,
        count(distinct hour_of_cell) as cells,
        count(distinct participant_id) as persons,
        cast(sum(reports) as bigint) as reports,
        avg(deviation) as mean_deviation,
        stddev_samp(deviation) as standard_deviation
    from placed
    group by hour
)

select * from cells
order by hour
