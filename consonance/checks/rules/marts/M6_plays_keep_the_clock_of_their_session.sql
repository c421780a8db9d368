-- relation: warehouse.marts.plays
-- what: The first play of a session has the participant's local time. Every other play is later by the time that has elapsed since.
-- example: A session begins at 1:50, and a play that was heard 15 minutes later has the time 3:05: clocks were put forward at 2:00.
-- why: A change of the clock within a session shows its date, and with it the shift of every other date. Durations would be wrong too.
-- remedy: Look at models/sessionized/ses_plays.sql.
with placed as (
    select
        plays.play_id,
        epoch_ms(plays.started_at_local) - clocks.started_elapsed_ms as ahead_ms,
        epoch_ms(firsts.started_at_local) - firsts.started_elapsed_ms as session_ahead_ms
    from warehouse.marts.plays as plays
    inner join warehouse.anonymized.anon_plays as clocks on clocks.play_id = plays.play_id
    -- A session bears the id of its first play.
    inner join warehouse.anonymized.anon_plays as firsts on firsts.play_id = plays.session_id
)
select 'marts.plays.started_at_local' as place, play_id
from placed
where ahead_ms <> session_ahead_ms
