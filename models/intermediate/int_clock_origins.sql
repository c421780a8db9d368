-- One row is one participant: when their elapsed clock begins, at the start of their first kept play
-- or, for those without one, at their first emotion report.
with int_play_accounting as (select * from {{ ref('int_play_accounting') }}),

int_listeners as (select * from {{ ref('int_listeners') }}),

stg_survey_answers as (select * from {{ ref('stg_survey_answers') }}),

first_plays as (
    select
        participant_no,
        min(first_started_ms) as started_ms
    from int_play_accounting
    where fate = 'kept'
    group by participant_no
),

first_reports as (
    select
        participant_code,
        min(answered_ms) as answered_ms
    from stg_survey_answers
    group by participant_code
),

origins as (
    select
        int_listeners.participant_no,
        coalesce(first_plays.started_ms, first_reports.answered_ms) as origin_ms
    from int_listeners
    left join first_plays on int_listeners.participant_no = first_plays.participant_no
    left join first_reports on int_listeners.participant_code = first_reports.participant_code
    where coalesce(first_plays.started_ms, first_reports.answered_ms) is not null
)

select * from origins
