-- Everyone with a zone of their own lives in Asia/Dili, and did everything at the same local time, so many weeks earlier. There clocks
-- have changed once since 1976: from 0:00 to 1:00 on Sunday, 2000-09-17. The weeks are such that this is in the middle of
-- what a participant reported (`turns`, sample.sql): before it UTC is 8 hours behind, after it 9.
update vault.codes as codes
set moved_weeks = turns.moved_weeks
from turns
where codes.participant_code = turns.participant_code;

create or replace temp table moved as
select
    keyring.participant_no,
    codes.other_code as participant_code,
    7 * 86400 * cast(turns.moved_weeks as bigint) + turns.ahead_s - 8 * 3600 as moved_s,
    to_days(7 * turns.moved_weeks) + to_seconds(turns.ahead_s - 8 * 3600) as moved_by,
    turns.turn
from turns
inner join vault.codes on turns.participant_code = codes.participant_code
inner join vault.raw.keyring on codes.other_code = keyring.participant_code;

update vault.raw.participants as participants
set timezone = 'Asia/Dili'
from moved
where participants.participant_code = moved.participant_code;

update vault.raw.consent_events as events
set
    history_from = cast(events.history_from + to_days(7 * codes.moved_weeks) as date),
    history_to = cast(events.history_to + to_days(7 * codes.moved_weeks) as date)
from vault.codes
where events.participant_code = codes.other_code;
