-- relation: times
-- what: Every play ended on a day of the history that the participant consented to, in the participant's time zone. So did whatever a table that is made of plays alone has a time of.
-- example: The consent covers 2021 and 2022; the warehouse has a play of 2020-12-31.
-- why: The dates are part of the consent. This rule takes the shift back and reads the ledger itself.
-- remedy: Run 'dbt run'. If the rule still fails, look at models/intermediate/int_play_fates.sql.
with windows as (
    select pseudonym, shift_weeks, history_from, history_to
    from {what_the_ledger_grants} as granted
    where history_from is not null or history_to is not null
)
select 'marts.plays.ended_at_local' as place
from warehouse.marts.plays as plays
inner join windows on windows.pseudonym = plays.participant_id
where
    cast(plays.ended_at_local as date) - 7 * windows.shift_weeks < windows.history_from
    or cast(plays.ended_at_local as date) - 7 * windows.shift_weeks > windows.history_to
union all
select times.place
from {times} as times
inner join windows on windows.pseudonym = times.participant_id
where
    times.is_of_plays
    and (
        -- A play or a session that ended on the first day may have begun on the day before.
        cast(times.first_time as date) - 7 * windows.shift_weeks < windows.history_from - 1
        or cast(times.first_time as date) - 7 * windows.shift_weeks > windows.history_to
        or cast(times.last_time as date) - 7 * windows.shift_weeks > windows.history_to
    )
