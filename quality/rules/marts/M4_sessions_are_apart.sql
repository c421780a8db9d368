-- relation: warehouse.marts.sessions
-- what: Between two sessions of a participant lies a pause longer than the gap that ends a session.
-- example: A session that begins while another goes on.
-- why: Everything that counts sessions rests on it.
-- remedy: dbt build; look at models/sessionized.
with ordered as (
    select
        session_id,
        started_elapsed_ms,
        session_gap_minutes,
        lag(ended_elapsed_ms) over (partition by participant_id order by started_elapsed_ms, session_id) as previous_end
    from warehouse.marts.sessions as sessions
)
select session_id
from ordered
where started_elapsed_ms - previous_end <= session_gap_minutes * 60000
