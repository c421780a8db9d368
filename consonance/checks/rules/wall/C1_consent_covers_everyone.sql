-- relation: persons
-- what: Everyone in a table right of the wall has an active consent to the purpose that the table declares for all of its rows.
-- example: A play of a participant whose last ledger line says "withdrawn"; any participant in a table that declares no purpose.
-- why: Consent is the legal basis of the study (GDPR 7; ISO/IEC TS 27560). This rule reads the ledger itself, not the models.
-- remedy: Run 'dbt run'. If the rule still fails, a model does not join the consent state any more, or its meta names a wrong purpose.
select place
from {unconsented} as unconsented
where is_every_row
