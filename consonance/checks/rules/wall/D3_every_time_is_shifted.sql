-- relation: times
-- what: Every temporal column right of the wall (found by its type) holds, participant by participant, times moved by that participant's shift.
-- example: A new column played_on that holds the true date.
-- why: One unshifted date gives the shift away, and with it all others (D3).
-- remedy: Let the column pass functions/shifted_local_time.sql.
with spans as (
    select participant_no, min(ts) as first_ts, max(ts) as last_ts
    from (
        select participant_no, ts from vault.raw.extended_plays
        union all
        select participant_no, end_time from vault.raw.account_plays
        union all
        select keyring.participant_no, survey_answers.answered_at
        from vault.raw.survey_answers
        inner join vault.raw.keyring on keyring.participant_code = survey_answers.participant_code
    )
    group by participant_no
),
shifted as (
    select keyring.pseudonym, keyring.shift_weeks, spans.first_ts, spans.last_ts
    from spans
    inner join vault.raw.keyring on keyring.participant_no = spans.participant_no
)
select times.place
from {times} as times
inner join shifted on shifted.pseudonym = times.participant_id
where
    -- Two days allow for zones, for the length of a play and for plays that ended before they were reported.
    times.first_time - to_days(7 * shifted.shift_weeks) < shifted.first_ts - interval 9 day
    or times.last_time - to_days(7 * shifted.shift_weeks) > shifted.last_ts + interval 2 day
