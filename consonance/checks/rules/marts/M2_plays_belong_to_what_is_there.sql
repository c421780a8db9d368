-- relation: warehouse.marts.plays
-- what: A play belongs to one session, one participant and at most one track, and each of these exists.
-- example: A play of a session that is not in marts.sessions.
-- why: Whoever joins the tables loses such a play.
-- remedy: Run 'dbt build': its tests name the model.
select 'marts.plays.play_id' as place, 'is empty' as detail from warehouse.marts.plays as plays where play_id is null
{%- for column, table in {'session_id': 'sessions', 'participant_id': 'participants', 'track_id': 'tracks'}.items() %}
union all
select 'marts.plays.{{ column }}', 'is not in marts.{{ table }}'
from warehouse.marts.plays as plays
where {{ column }} not in (select {{ column }} from warehouse.marts.{{ table }})
{%- endfor %}
