-- relation: warehouse.marts.plays
-- what: One row of marts.plays is one play, and it belongs to one session, one participant and at most one track that are there.
-- example: A play that a join has doubled.
-- why: A doubled play is counted twice by every analysis.
-- remedy: dbt build; its tests name the model.
select play_id from warehouse.marts.plays as plays group by play_id having count(*) > 1
union all
select play_id
from warehouse.marts.plays as plays
where
    play_id is null
    or session_id not in (select session_id from warehouse.marts.sessions)
    or participant_id not in (select participant_id from warehouse.marts.participants)
    or track_id not in (select track_id from warehouse.marts.tracks)
