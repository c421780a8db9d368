-- relation: times
-- what: For every participant, every column with a date or time right of the wall (found by its type) is moved by the participant's shift.
-- example: A new column played_on with the true date.
-- why: One date that is not shifted reveals the shift, and with it all other dates (D3).
-- remedy: Pass the column through functions/shifted_local_time.sql.
with shifted as (
    select keyring.pseudonym, keyring.shift_weeks, landed_times.first_ts, landed_times.last_ts
    from {landed_times} as landed_times
    inner join vault.raw.keyring on keyring.participant_no = landed_times.participant_no
)
select times.place
from {times} as times
inner join shifted on shifted.pseudonym = times.participant_id
where
    -- Two days allow for zones, for the length of a play and for plays that ended before they were reported.
    times.first_time - to_days(7 * shifted.shift_weeks) < shifted.first_ts - interval 9 day
    or times.last_time - to_days(7 * shifted.shift_weeks) > shifted.last_ts + interval 2 day
