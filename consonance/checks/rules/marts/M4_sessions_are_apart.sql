-- relation: warehouse.marts.plays
-- what: Between two sessions of a participant there is a pause longer than the gap that ends a session, measured in elapsed time.
-- example: A session begins while another one goes on.
-- why: Every number that counts sessions is wrong otherwise.
-- remedy: Run 'dbt build', and look at models/sessionized/ses_plays.sql.
with bounds as (
    select
        plays.participant_id,
        plays.session_id,
        min(clocks.started_elapsed_ms) as started_ms,
        max(clocks.ended_elapsed_ms) as ended_ms
    from warehouse.marts.plays as plays
    inner join warehouse.anonymized.anon_plays as clocks on clocks.play_id = plays.play_id
    group by plays.participant_id, plays.session_id
),
ordered as (
    select
        bounds.session_id,
        bounds.started_ms,
        sessions.session_gap_minutes,
        sessions.session_no,
        lag(bounds.ended_ms) over in_time as previous_end,
        lag(sessions.session_no) over in_time as previous_no
    from bounds
    inner join warehouse.marts.sessions as sessions on sessions.session_id = bounds.session_id
    window in_time as (partition by bounds.participant_id order by bounds.started_ms, bounds.session_id)
)
select 'marts.sessions.session_no' as place, session_id
from ordered
where started_ms - previous_end <= session_gap_minutes * 60000 or session_no <> coalesce(previous_no, 0) + 1
