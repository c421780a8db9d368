-- One row is one participant: the first and the last time of their plays, answers and prompts, as they were landed.
select participant_no, min(ts) as first_ts, max(ts) as last_ts
from (
    select participant_no, ts from vault.raw.extended_plays
    union all
    select participant_no, end_time from vault.raw.account_plays
    union all
    select keyring.participant_no, survey_answers.answered_at
    from vault.raw.survey_answers
    inner join vault.raw.keyring on keyring.participant_code = survey_answers.participant_code
    union all
    select keyring.participant_no, unnest([prompts.prompted_at, prompts.opened_at, prompts.answered_at])
    from vault.raw.survey_prompts as prompts
    inner join vault.raw.keyring on keyring.participant_code = prompts.participant_code
) as moments
group by participant_no
