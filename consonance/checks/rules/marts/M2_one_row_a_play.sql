-- relation: warehouse.marts.plays
-- what: One row of marts.plays is one play. It belongs to one session, one participant and at most one track, and each of these exists.
-- example: A join has doubled a play.
-- why: Every analysis counts a doubled play twice.
-- remedy: Run 'dbt build': its tests name the model.
select 'marts.plays.play_id' as place, 'occurs twice' as detail
from warehouse.marts.plays as plays
group by play_id
having count(*) > 1
union all
select 'marts.plays.play_id', 'is empty' from warehouse.marts.plays as plays where play_id is null
{%- for column, table in {'session_id': 'sessions', 'participant_id': 'participants', 'track_id': 'tracks'}.items() %}
union all
select 'marts.plays.{{ column }}', 'is not in marts.{{ table }}'
from warehouse.marts.plays as plays
where {{ column }} not in (select {{ column }} from warehouse.marts.{{ table }})
{%- endfor %}
