-- Everyone with a zone of their own lives in a zone with another offset, and does everything at the same local time: all
-- moments in UTC are others. The zones of the sample never change their clocks (sample.sql).
create or replace temp table relocated as
with zones as (
    select
        zone,
        epoch(timezone(zone, timestamptz '2020-01-01 00:00:00+00') - timestamp '2020-01-01') as ahead_s,
        coalesce(lead(zone) over (order by zone), min(zone) over ()) as other_zone
    from steady_zones
)

select
    keyring.participant_no,
    participants.participant_code,
    zones.other_zone,
    cast(zones.ahead_s - others.ahead_s as bigint) as later_s,
    to_seconds(cast(zones.ahead_s - others.ahead_s as bigint)) as later
from vault.raw.participants
inner join vault.raw.keyring on participants.participant_code = keyring.participant_code
inner join zones on participants.timezone = zones.zone
inner join zones as others on zones.other_zone = others.zone;

update vault.raw.participants as participants
set timezone = relocated.other_zone
from relocated
where participants.participant_code = relocated.participant_code;

update vault.raw.extended_plays as plays
set
    ts = plays.ts + relocated.later,
    -- Milliseconds or seconds; 0 and 1 are no moments.
    offline_timestamp = case
        when plays.offline_timestamp >= 100000000000 then plays.offline_timestamp + 1000 * relocated.later_s
        when plays.offline_timestamp > 200000000 then plays.offline_timestamp + relocated.later_s
        else plays.offline_timestamp
    end
from relocated
where plays.participant_no = relocated.participant_no;

update vault.raw.account_plays as plays
set end_time = plays.end_time + relocated.later
from relocated
where plays.participant_no = relocated.participant_no;

update vault.raw.survey_answers as answers
set answered_at = answers.answered_at + relocated.later
from relocated
where answers.participant_code = relocated.participant_code;

update vault.raw.survey_prompts as prompts
set
    prompted_at = prompts.prompted_at + relocated.later,
    opened_at = prompts.opened_at + relocated.later,
    answered_at = prompts.answered_at + relocated.later,
    expires_at = prompts.expires_at + relocated.later
from relocated
where prompts.participant_code = relocated.participant_code;
