-- One row is one participant: how far they came, and what is known of them.
-- donated: a play was kept. valid: at least one report could be scored. covered: for at least one such report, music
-- with a known value was heard in the hour before it.
with participants as (select * from marts.participants),

reported as (
    select
        participant_id,
        count(*) as reports,
        bool_or(score_status in ('scored', 'partly_scored')) as is_scored
    from marts.emotion_reports
    group by participant_id
),

heard as (
    select
        participant_id,
        bool_or(plays_with_features > 0) as is_covered
    from marts.emotion_windows
    where emotion_window = 'before_60m'
    group by participant_id
),

persons as (
    select
        participants.participant_id,
        true as enrolled,
        participants.plays > 0 as donated,
        participants.plays > 0 and coalesce(reported.is_scored, false) as valid,
        participants.plays > 0 and coalesce(reported.is_scored, false) and coalesce(heard.is_covered, false) as covered,
        participants.age_band,
        participants.gender,
        participants.country,
        participants.counted_plays,
        participants.ms_played / 3600000.0 as hours_played,
        coalesce(reported.reports, 0) as reports
    from participants
    left join reported on participants.participant_id = reported.participant_id
    left join heard on participants.participant_id = heard.participant_id
)

select * from persons
order by participant_id
