-- One row is one report of the participant with valence and arousal, each from -1 to 1.
select
    valence,
    arousal
from warehouse.marts.emotion_reports
where participant_id = $pseudonym and valence is not null and arousal is not null
order by valence, arousal
