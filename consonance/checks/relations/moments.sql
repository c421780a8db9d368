-- All moments of a person are earlier by a whole number of weeks of their own: 1 to 260. A consent that is given after
-- `as_of` stays where it is: it does not count yet, and must not begin to.
update vault.codes set moved_weeks = -1 - cast(floor(random() * 260) as integer);

create or replace temp table moved as
select
    keyring.participant_no,
    codes.other_code as participant_code,
    codes.moved_weeks,
    to_days(7 * codes.moved_weeks) as moved_by
from vault.codes
inner join vault.raw.keyring on codes.other_code = keyring.participant_code;

update vault.raw.extended_plays as plays
set
    ts = plays.ts + moved.moved_by,
    -- Milliseconds or seconds; 0 and 1 are no moments.
    offline_timestamp = case
        when plays.offline_timestamp >= 100000000000 then plays.offline_timestamp + cast(moved.moved_weeks as bigint) * 604800000
        when plays.offline_timestamp > 200000000 then plays.offline_timestamp + cast(moved.moved_weeks as bigint) * 604800
        else plays.offline_timestamp
    end
from moved
where plays.participant_no = moved.participant_no;

update vault.raw.account_plays as plays
set end_time = plays.end_time + moved.moved_by
from moved
where plays.participant_no = moved.participant_no;

update vault.raw.participants as participants
set enrolled_at = participants.enrolled_at + moved.moved_by
from moved
where participants.participant_code = moved.participant_code;

update vault.raw.consent_events as events
set
    occurred_at = events.occurred_at + moved.moved_by,
    history_from = cast(events.history_from + moved.moved_by as date),
    history_to = cast(events.history_to + moved.moved_by as date)
from moved, vault.raw.study
where events.participant_code = moved.participant_code and events.occurred_at <= study.as_of;

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

update vault.raw.donations as donations
set loaded_at = donations.loaded_at + moved.moved_by
from moved
where donations.participant_no = moved.participant_no;
