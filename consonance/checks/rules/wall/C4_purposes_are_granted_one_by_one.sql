-- relation: persons
-- what: Rows that need a further purpose, as their table declares (podcasts, audiobooks, private sessions, what tells age, gender or country), are there only of participants who granted it.
-- example: An episode of someone who grants listening_history alone.
-- why: Whoever agrees to one thing has not agreed to the next (data minimisation).
-- remedy: dbt run. If it stays, look at models/intermediate/int_play_fates.sql and functions/consented_country.sql, is_abroad.sql.
with last_events as (
    select
        participant_code,
        max_by({'event': event, 'purposes': purposes}, (occurred_at, ledger_line)) as last
    from vault.raw.consent_events, vault.raw.study
    where occurred_at <= as_of
    group by participant_code
),
granted as (
    select keyring.pseudonym, last_events.last.purposes as purposes
    from last_events
    inner join vault.raw.keyring on keyring.participant_code = last_events.participant_code
    where last_events.last.event <> 'withdrawn'
)
select persons.place
from {persons} as persons
left join granted on granted.pseudonym = persons.participant_id
where
    persons.participant_id <> 'no active consent'
    and not persons.is_every_row
    and not coalesce(len(list_intersect(granted.purposes, persons.purposes)) > 0, false)
