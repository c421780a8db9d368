-- relation: persons
-- what: Rows that need a further purpose, as their table declares (podcasts, audiobooks, private sessions, age, gender, country), are only from participants who granted it.
-- example: An episode of a participant who grants listening_history only.
-- why: To agree to one purpose is not to agree to the next (data minimisation).
-- remedy: Run 'dbt run'. If the rule still fails, the model named first does not ask for the purpose: for plays that is models/intermediate/int_play_fates.sql, for demographics a function of functions/ that takes is_granted. Which purposes somebody grants is said in macros/consent.sql.
select place, detail
from {unconsented} as unconsented
where not is_every_row
