-- relation: vault.raw.survey_prompts
-- what: Every prompt of a questionnaire was sent to an enrolled participant.
-- example: A prompt of participant P099, who has no line in participants.csv.
-- why: What people who are not enrolled did is held and not read.
-- remedy: Look at loaders/surveys/sql/judge.sql, which keeps such lines out. Then enrol the participant in participants.csv, or remove the lines from the survey file, and load again.
select 'raw.survey_prompts.participant_code' as place, file, line
from vault.raw.survey_prompts as prompts
where participant_code not in (select participant_code from vault.raw.participants)
