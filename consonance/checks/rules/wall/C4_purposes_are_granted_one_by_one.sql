-- relation: persons
-- what: Rows that need a further purpose, as their table declares (podcasts, audiobooks, private sessions, what tells age, gender or country), are there only of participants who granted it.
-- example: An episode of someone who grants listening_history alone.
-- why: Whoever agrees to one thing has not agreed to the next (data minimisation).
-- remedy: dbt run. If it stays, look at models/intermediate/int_play_fates.sql and functions/consented_country.sql, is_abroad.sql.
with counting_events as (
    {{ counting_consent_events() }}
),
granted as (
    select keyring.pseudonym, counting_events.purposes
    from counting_events
    inner join vault.raw.keyring on keyring.participant_code = counting_events.participant_code
    where counting_events.is_active
)
select persons.place
from {persons} as persons
left join granted on granted.pseudonym = persons.participant_id
where
    persons.participant_id <> 'no active consent'
    and not persons.is_every_row
    and not coalesce(len(list_intersect(granted.purposes, persons.purposes)) > 0, false)
