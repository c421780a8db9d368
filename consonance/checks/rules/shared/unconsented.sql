-- One row is one participant in one column of a table, and a purpose that the table declares and they have not granted.
with counting_events as (
    {{ counting_consent_events() }}
),
granted as (
    select keyring.pseudonym, counting_events.purposes
    from counting_events
    inner join vault.raw.keyring on keyring.participant_code = counting_events.participant_code
    where counting_events.is_active
)
select persons.place, persons.needs as detail, persons.is_every_row
from {persons} as persons
left join granted on granted.pseudonym = persons.participant_id
where not coalesce(len(list_intersect(granted.purposes, persons.purposes)) > 0, false)
