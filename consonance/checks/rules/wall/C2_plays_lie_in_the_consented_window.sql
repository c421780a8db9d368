-- relation: warehouse.marts.plays
-- what: Every play ended on a day of the consented history, by the participant's own calendar.
-- example: Consent covers 2021 and 2022; a play of 2020-12-31 is in the warehouse.
-- why: A date is part of what was consented to. This rule takes the shift back and asks the ledger itself.
-- remedy: dbt run. If it stays, look at models/intermediate/int_play_fates.sql.
with counting_events as (
    {{ counting_consent_events() }}
),
windows as (
    select keyring.pseudonym, keyring.shift_weeks, counting_events.history_from, counting_events.history_to
    from counting_events
    inner join vault.raw.keyring on keyring.participant_code = counting_events.participant_code
    where counting_events.history_from is not null or counting_events.history_to is not null
)
select plays.play_id
from warehouse.marts.plays as plays
inner join windows on windows.pseudonym = plays.participant_id
where
    cast(plays.ended_at_local as date) - 7 * windows.shift_weeks < windows.history_from
    or cast(plays.ended_at_local as date) - 7 * windows.shift_weeks > windows.history_to
