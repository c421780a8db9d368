-- relation: times
-- what: For every participant, every column with moments right of the wall is moved by the participant's shift: dates, times, texts that are dates, milliseconds since 1970. A table without persons has no such column.
-- example: A new column played_on with the true date; a table of days with how much was heard.
-- why: One date that is not shifted reveals the shift, and with it all other dates (D3). Days of all participants together would be true dates, or mean nothing.
-- remedy: Pass the column through functions/shifted_local_time.sql in the file named first, with the shift_weeks of the same participant; if it does, look at that function.
with shifted as (
    select keyring.pseudonym, keyring.shift_weeks, landed_times.first_ts, landed_times.last_ts
    from {landed_times} as landed_times
    inner join vault.raw.keyring on keyring.participant_no = landed_times.participant_no
)
select times.place, 'is not moved by the shift' as detail
from {times} as times
left join shifted on shifted.pseudonym = times.participant_id
where
    shifted.pseudonym is null
    -- Two days allow for zones, for the length of a play and for plays that ended before they were reported.
    or times.first_time - to_days(7 * shifted.shift_weeks) < shifted.first_ts - interval 9 day
    or times.last_time - to_days(7 * shifted.shift_weeks) > shifted.last_ts + interval 2 day
union all
select place, 'is in a table without persons'
from {dates_of_nobody} as dates_of_nobody
