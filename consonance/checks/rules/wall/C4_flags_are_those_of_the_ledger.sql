-- relation: flags
-- what: What a table right of the wall says that a participant grants (columns grants_…) is what the ledger says.
-- example: marts.participants says that somebody grants ml_training, who took it back.
-- why: Analysts choose by these columns whose data they train models on. Whoever reads a wrong flag uses data without consent.
-- remedy: Run 'dbt run'. If the rule still fails, look at the model named first, at models/intermediate/int_consent_state.sql, and at macros/consent.sql.
select flags.place, 'differs from the ledger' as detail
from {flags} as flags
left join {what_the_ledger_grants} as granted on granted.pseudonym = flags.participant_id
where flags.is_granted is distinct from coalesce(list_contains(granted.purposes, flags.purpose), false)
