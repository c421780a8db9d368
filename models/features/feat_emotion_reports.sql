-- One row is one emotion report: what was on at its moment, the session around it, and how long ago the last play
-- before it and the report before it were. Definitions: docs/numbers.md, "Emotion".
with anon_emotion_answers as (select * from {{ ref('anon_emotion_answers') }}),

anon_plays as {{ read_anew() }} (select * from {{ ref('anon_plays') }}),

ses_plays as (select * from {{ ref('ses_plays') }}),

reports as (
    select
        report_id,
        participant_id,
        instrument,
        min(answered_elapsed_ms) as reported_elapsed_ms,
        min(answered_at_local) as reported_at_local
    from anon_emotion_answers
    group by report_id, participant_id, instrument
),

sequence as (
    select
        *,
        lag(report_id) over (
            partition by participant_id, instrument order by reported_elapsed_ms, report_id
        ) as previous_report_id,
        lag(reported_at_local) over (
            partition by participant_id, instrument order by reported_elapsed_ms, report_id
        ) as previous_reported_at_local
    from reports
),

plays as (
    select
        anon_plays.play_id,
        anon_plays.participant_id,
        anon_plays.track_id,
        anon_plays.started_elapsed_ms,
        anon_plays.ended_elapsed_ms,
        ses_plays.session_id,
        ses_plays.session_no,
        ses_plays.ended_at_local
    from anon_plays
    inner join ses_plays on anon_plays.play_id = ses_plays.play_id
),

sessions as (
    select
        participant_id,
        session_id,
        session_no,
        min(started_elapsed_ms) as started_elapsed_ms,
        max(ended_elapsed_ms) as ended_elapsed_ms
    from plays
    group by participant_id, session_id, session_no
),

-- Sessions and reports in one order: the number of sessions that have begun says in which one a report is, or after
-- which.
moments as (
    select
        participant_id,
        started_elapsed_ms as elapsed_ms,
        cast(null as bigint) as report_id,
        0 as is_report
    from sessions
    union all
    select
        participant_id,
        reported_elapsed_ms as elapsed_ms,
        report_id,
        1 as is_report
    from reports
),

numbered as (
    select
        report_id,
        participant_id,
        elapsed_ms,
        is_report,
        cast(sum(1 - is_report) over (
            partition by participant_id
            order by elapsed_ms, is_report, report_id nulls last
            rows between unbounded preceding and current row
        ) as integer) as session_no
    from moments
),

placed as (
    select
        report_id,
        participant_id,
        elapsed_ms as reported_elapsed_ms,
        session_no
    from numbered
    where is_report = 1
),

around as (
    select
        placed.report_id,
        sessions.session_id
    from placed
    inner join sessions
        on
            placed.participant_id = sessions.participant_id
            and placed.session_no = sessions.session_no
    where placed.reported_elapsed_ms - sessions.ended_elapsed_ms <= {{ var('session_gap_minutes') }} * 60000
),

-- The last play before a report is in that session, or in the one before if no play of that one has ended yet.
asked as (
    select
        report_id,
        participant_id,
        reported_elapsed_ms,
        session_no
    from placed
    union all
    select
        report_id,
        participant_id,
        reported_elapsed_ms,
        session_no - 1 as session_no
    from placed
),

near as (
    select
        asked.report_id,
        asked.reported_elapsed_ms,
        plays.play_id,
        plays.track_id,
        plays.started_elapsed_ms,
        plays.ended_elapsed_ms,
        plays.ended_at_local
    from asked
    inner join plays
        on
            asked.participant_id = plays.participant_id
            and asked.session_no = plays.session_no
),

last_plays as (
    select
        report_id,
        max_by(ended_at_local, ended_elapsed_ms) as ended_at_local
    from near
    where ended_elapsed_ms < reported_elapsed_ms
    group by report_id
),

silences as (
    select
        sequence.report_id,
        {{ local_ms_between('last_plays.ended_at_local', 'sequence.reported_at_local') }} as ms_since_last_play
    from sequence
    inner join last_plays on sequence.report_id = last_plays.report_id
),

playing as (
    select
        report_id,
        track_id,
        row_number() over (
            partition by report_id order by started_elapsed_ms desc, ended_elapsed_ms desc, play_id asc
        ) as choice
    from near
    where
        started_elapsed_ms < reported_elapsed_ms
        and ended_elapsed_ms >= reported_elapsed_ms
),

listeners as (
    select distinct participant_id
    from anon_plays
),

joined as (
    select
        sequence.report_id,
        sequence.participant_id,
        around.session_id,
        case when listeners.participant_id is not null then playing.report_id is not null end as is_listening,
        playing.track_id as playing_track_id,
        -- A week at most: what grew with the time of the reports would be a clock.
        case
            when silences.ms_since_last_play > 604800000 then 604800000
            else silences.ms_since_last_play
        end as ms_since_last_play,
        sequence.previous_report_id,
        {{ local_ms_between('sequence.previous_reported_at_local', 'sequence.reported_at_local') }} as ms_since_previous_report
    from sequence
    left join listeners on sequence.participant_id = listeners.participant_id
    left join around on sequence.report_id = around.report_id
    left join silences on sequence.report_id = silences.report_id
    left join playing
        on
            sequence.report_id = playing.report_id
            and playing.choice = 1
)

select * from joined
