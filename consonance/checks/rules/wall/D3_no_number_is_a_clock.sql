-- relation: clocks
-- what: No number in the marts, or in audit, grows in step with a local time of the same row, in milliseconds, seconds, minutes or hours, for more than ten days.
-- example: A column started_elapsed_ms beside started_at_local.
-- why: Local time and elapsed time differ where clocks change. The dates of these changes are public, and reveal the exact shift (D3).
-- remedy: Do not take the number into the file named first. Within a session, use the difference of local times.
select clocks.place, 'runs beside a local time' as detail
from {clocks} as clocks
where
    clocks.rows >= 20
    and clocks.spread_s > 864000
    and clocks.step in (1000.0, 1.0, 0.0167, 0.000278)
    -- Off by less than two hours: changes of the clock are an hour, and the hours of two zones.
    and sqrt(greatest(0, 1 - clocks.fit)) * clocks.spread_s < 7200
