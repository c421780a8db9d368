-- One row is one questionnaire that the participant answered.
select
    instrument,
    count(distinct answered_at) as reports,
    count(answer) as answers
from vault.raw.survey_answers
where participant_code = $code
group by instrument
order by instrument
