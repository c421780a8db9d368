-- One row is one table for analysts: how many of its rows are the participant's.
select
    'plays' as what,
    count(*) as held
from warehouse.marts.plays
where participant_id = $pseudonym
union all
select
    'sessions of listening' as what,
    count(*) as held
from warehouse.marts.sessions
where participant_id = $pseudonym
union all
select
    'saved tracks' as what,
    count(*) as held
from warehouse.marts.library
where participant_id = $pseudonym
union all
select
    'reports of emotions' as what,
    count(*) as held
from warehouse.marts.emotion_reports
where participant_id = $pseudonym
union all
select
    'examples for training a model' as what,
    count(*) as held
from warehouse.marts.training_examples
where participant_id = $pseudonym
