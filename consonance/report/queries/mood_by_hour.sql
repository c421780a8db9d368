-- One row is one participant and one part of the day, for one outcome: how far reports are above or below the person's own
-- mean of all their reports.
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
)

select * from personal
where outcome = getvariable('outcome')
order by participant_id, hour
