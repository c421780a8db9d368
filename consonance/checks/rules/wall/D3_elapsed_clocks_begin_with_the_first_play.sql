-- relation: warehouse.anonymized.anon_plays
-- what: Every participant's elapsed clock begins at 0 with the first play. No report is more than 100 years from it.
-- example: A started_elapsed_ms of 1,682,935,200,000, which is a time in UTC.
-- why: A clock that begins at a known time shows the true time, whatever the shift (D3).
-- remedy: Look at functions/elapsed_ms.sql, at models/intermediate/int_clock_origins.sql, and at the file named first, which passes the origin.
with first_plays as (
    select participant_id, min(started_elapsed_ms) as first_ms
    from warehouse.anonymized.anon_plays as plays
    group by participant_id
)
select 'anonymized.anon_plays.started_elapsed_ms' as place, 'does not begin at 0' as detail from first_plays where first_ms <> 0
union all
select 'anonymized.anon_emotion_answers.answered_elapsed_ms', 'is too far from the first play'
from warehouse.anonymized.anon_emotion_answers as answers
where abs(answered_elapsed_ms) > cast(100 * 366 as bigint) * 86400000
    or (participant_id not in (select participant_id from first_plays) and abs(answered_elapsed_ms) > cast(20 * 366 as bigint) * 86400000)
