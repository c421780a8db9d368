-- One row is one participant, by the pseudonym of the warehouse, and the purposes that the ledger grants.
select keyring.pseudonym, counting_events.purposes
from ({{ counting_consent_events() }}) as counting_events
inner join vault.raw.keyring on keyring.participant_code = counting_events.participant_code
where counting_events.is_active
