-- One row is one kind of rows that the vault holds of the participant.
select
    'tracks and albums of your library' as what,
    count(*) as held
from vault.raw.library_items
where participant_no = $participant_no
union all
select
    'answers to questionnaires' as what,
    count(*) as held
from vault.raw.survey_answers
where participant_code = $code
union all
select
    'prompts to answer one' as what,
    count(*) as held
from vault.raw.survey_prompts
where participant_code = $code
