-- One row is one part of the day: what share of a person's prompts of that time was answered; the mean over the persons,
-- with its standard deviation between them. A questionnaire that was begun and not finished counts as not answered.
-- Parts of the day with prompts of few persons are one row without hour.
with prompts as (
    select
        participant_id,
        hour(prompted_at_local) // getvariable('hours') * getvariable('hours') as hour,
        case when status = 'answered' then 1.0 else 0.0 end as is_answered
    from marts.emotion_prompts
    where prompted_at_local is not null
),

personal as (
    select
        participant_id,
        hour,
        count(*) as prompts,
        avg(is_answered) as share_answered
    from prompts
    group by participant_id, hour
),

sizes as (
    select
        hour,
        count(*) as persons
    from personal
    group by hour
),

placed as (
    select
        personal.participant_id,
        personal.hour as hour_of_cell,
        case when sizes.persons > getvariable('small_group') then personal.hour end as hour,
        personal.prompts,
        personal.share_answered
    from personal
    inner join sizes on personal.hour = sizes.hour
),

cells as (
    select
        hour,
        count(distinct hour_of_cell) as cells,
        count(distinct participant_id) as persons,
        cast(sum(prompts) as bigint) as prompts,
        avg(share_answered) as mean_share,
        stddev_samp(share_answered) as standard_deviation
    from placed
    group by hour
)

select * from cells
order by hour
