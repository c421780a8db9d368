-- relation: warehouse.marts.plays
-- what: Every play ended on a day of the consented history, by the participant's own calendar.
-- example: Consent covers 2021 and 2022; a play of 2020-12-31 is in the warehouse.
-- why: A date is part of what was consented to. This rule takes the shift back and asks the ledger itself.
-- remedy: dbt run. If it stays, look at models/intermediate/int_play_fates.sql.
with last_events as (
    select
        participant_code,
        max_by({'first': history_from, 'last': history_to}, (occurred_at, ledger_line)) as history
    from vault.raw.consent_events, vault.raw.study
    where occurred_at <= as_of
    group by participant_code
),
windows as (
    select keyring.pseudonym, keyring.shift_weeks, last_events.history
    from last_events
    inner join vault.raw.keyring on keyring.participant_code = last_events.participant_code
    where last_events.history.first is not null or last_events.history.last is not null
)
select plays.play_id
from warehouse.marts.plays as plays
inner join windows on windows.pseudonym = plays.participant_id
where
    cast(plays.ended_at_local as date) - 7 * windows.shift_weeks < windows.history.first
    or cast(plays.ended_at_local as date) - 7 * windows.shift_weeks > windows.history.last
