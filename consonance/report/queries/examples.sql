-- One row is one report after music in one window, of a participant who permits that models are trained on it, with values
-- of sources that permit it.
select *
from marts.training_examples
where emotion_window = getvariable('emotion_window')
order by participant_id, report_id
