-- relation: vault.raw.survey_answers
-- what: Every survey answer is from an enrolled participant.
-- example: An answer of participant P099, who has no line in participants.csv.
-- why: Answers of people who are not enrolled are held and not read.
-- remedy: Look at loaders/surveys/sql/judge.sql, which keeps such lines out. Then enrol the participant in participants.csv, or remove the lines from the survey file, and load again.
select 'raw.survey_answers.participant_code' as place, file, line
from vault.raw.survey_answers as answers
where participant_code not in (select participant_code from vault.raw.participants)
