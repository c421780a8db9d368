-- relation: warehouse.marts.plays
-- what: One row of marts.plays is one play. It belongs to one session, one participant and at most one track, and each of these exists.
-- example: A join has doubled a play.
-- why: Every analysis counts a doubled play twice.
-- remedy: Run 'dbt build': its tests name the model.
select play_id from warehouse.marts.plays as plays group by play_id having count(*) > 1
union all
select play_id
from warehouse.marts.plays as plays
where
    play_id is null
    or session_id not in (select session_id from warehouse.marts.sessions)
    or participant_id not in (select participant_id from warehouse.marts.participants)
    or track_id not in (select track_id from warehouse.marts.tracks)
