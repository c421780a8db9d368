-- Moments of plays, answers and prompts are later by what the temporary table `moved` says of each participant: `moved_by`,
-- and the same in seconds, `moved_s`.
update vault.raw.extended_plays as plays
set
    ts = plays.ts + moved.moved_by,
    -- Milliseconds or seconds; 0 and 1 are no moments.
    offline_timestamp = case
        when plays.offline_timestamp >= 100000000000 then plays.offline_timestamp + 1000 * moved.moved_s
        when plays.offline_timestamp > 200000000 then plays.offline_timestamp + moved.moved_s
        else plays.offline_timestamp
    end
from moved
where plays.participant_no = moved.participant_no;

update vault.raw.account_plays as plays
set end_time = plays.end_time + moved.moved_by
from moved
where plays.participant_no = moved.participant_no;

update vault.raw.survey_answers as answers
set answered_at = answers.answered_at + moved.moved_by
from moved
where answers.participant_code = moved.participant_code;

update vault.raw.survey_prompts as prompts
set
    prompted_at = prompts.prompted_at + moved.moved_by,
    opened_at = prompts.opened_at + moved.moved_by,
    answered_at = prompts.answered_at + moved.moved_by,
    expires_at = prompts.expires_at + moved.moved_by
from moved
where prompts.participant_code = moved.participant_code;
