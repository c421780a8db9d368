-- All moments of a person are earlier by a whole number of weeks of their own: 1 to 260. A consent that is given after
-- `as_of` stays where it is: it does not count yet, and must not begin to.
update vault.codes set moved_weeks = -1 - cast(floor(random() * 260) as integer);

create or replace temp table moved as
select
    keyring.participant_no,
    codes.other_code as participant_code,
    7 * 86400 * cast(codes.moved_weeks as bigint) as moved_s,
    to_days(7 * codes.moved_weeks) as moved_by,
    cast(null as timestamp) as turn
from vault.codes
inner join vault.raw.keyring on codes.other_code = keyring.participant_code;

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

update vault.raw.donations as donations
set loaded_at = donations.loaded_at + moved.moved_by
from moved
where donations.participant_no = moved.participant_no;
