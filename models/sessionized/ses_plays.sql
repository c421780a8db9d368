-- One row is one play with the session it belongs to, and its place on the session's clock. Definitions:
-- docs/numbers.md, "Session" and "Times".
with anon_plays as (select * from {{ ref('anon_plays') }}),

timed as (
    select
        play_id,
        participant_id,
        started_at_local,
        started_elapsed_ms,
        ended_elapsed_ms,
        max(ended_elapsed_ms) over (
            partition by participant_id
            order by started_elapsed_ms, ended_elapsed_ms, play_id
            rows between unbounded preceding and 1 preceding
        ) as latest_end_ms
    from anon_plays
),

-- The first play has no end before it and opens a session like any other after a long pause.
marked as (
    select
        *,
        case
            when started_elapsed_ms - latest_end_ms <= {{ var('session_gap_minutes') }} * 60000 then 0
            else 1
        end as is_first_of_session
    from timed
),

numbered as (
    select
        *,
        sum(is_first_of_session) over (
            partition by participant_id
            order by started_elapsed_ms, ended_elapsed_ms, play_id
            rows between unbounded preceding and current row
        ) as session_no
    from marked
),

sessions as (
    select
        participant_id,
        session_no,
        play_id as session_id,
        started_at_local as session_started_at_local,
        started_elapsed_ms as session_started_elapsed_ms
    from numbered
    where is_first_of_session = 1
),

identified as (
    select
        numbered.play_id,
        numbered.participant_id,
        -- A session bears the id of its first play: the same whatever the order of loading.
        sessions.session_id,
        cast(numbered.session_no as integer) as session_no,
        -- No clock changes within a session: what has elapsed since its start is added to its local start.
        {{ plus_ms(
            'sessions.session_started_at_local', 'numbered.started_elapsed_ms - sessions.session_started_elapsed_ms'
        ) }} as started_at_local,
        {{ plus_ms(
            'sessions.session_started_at_local', 'numbered.ended_elapsed_ms - sessions.session_started_elapsed_ms'
        ) }} as ended_at_local,
        case
            when numbered.is_first_of_session = 1 then null
            else numbered.started_elapsed_ms - numbered.latest_end_ms
        end as ms_since_previous
    from numbered
    inner join sessions
        on
            numbered.participant_id = sessions.participant_id
            and numbered.session_no = sessions.session_no
)

select * from identified
