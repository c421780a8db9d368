-- relation: vault.raw.survey_answers
-- what: Whoever a survey answer is from is enrolled.
-- example: An answer of participant P099, who is in no line of participants.csv.
-- why: Answers of others are held at the door, unread.
-- remedy: Enrol the participant, or take the lines out of the survey file, and load again.
select file, line
from vault.raw.survey_answers as answers
where participant_code not in (select participant_code from vault.raw.participants)
