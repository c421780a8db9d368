-- relation: persons
-- what: Everyone in a table right of the wall, by a pseudonym or by the id of a record, has an active consent to the purposes that the table declares for all of its rows.
-- example: A play of a participant whose last ledger line says "withdrawn"; a training example of somebody who does not grant ml_training; any participant in a table that declares no purpose.
-- why: Consent is the legal basis of the study (GDPR 7; ISO/IEC TS 27560). This rule reads the ledger itself, not the models, and no flag that they made of it.
-- remedy: Run 'dbt run'. If the rule still fails, the model named first does not join the consent state any more, or its meta names a wrong purpose, or none; or macros/consent.sql, with which the models read the ledger, is wrong.
select place, detail
from {unconsented} as unconsented
where is_every_row
