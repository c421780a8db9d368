-- relation: persons
-- what: Everyone who occurs in any table right of the wall has an active consent to what that table declares to need of all of its rows.
-- example: A play of someone whose last ledger line says "withdrawn"; anybody in a table that declares no purpose.
-- why: Consent is the ground on which the study stands (GDPR 7; ISO/IEC TS 27560). This rule asks the ledger itself, not the models.
-- remedy: dbt run. If it stays, a model no longer joins the consent state, or its meta names a wrong purpose.
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
    and persons.is_every_row
    and not coalesce(len(list_intersect(granted.purposes, persons.purposes)) > 0, false)
