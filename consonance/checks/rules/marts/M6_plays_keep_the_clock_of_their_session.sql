-- relation: warehouse.marts.plays
-- what: The first play of a session begins on the participant's own clock; the others as much later as has elapsed since.
-- example: A session that began at 1:50, and a play in it at 3:05 that was heard 15 minutes later: clocks were put forward at 2.
-- why: A change of the clock within a session tells its date, and with it the shift of every other date; and durations would be wrong.
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
select play_id
from placed
where ahead_ms <> session_ahead_ms
