-- relation: persons
-- what: Rows that need a further purpose, as their table declares (podcasts, audiobooks, private sessions, age, gender, country), are only from participants who granted it.
-- example: An episode of a participant who grants listening_history only.
-- why: To agree to one purpose is not to agree to the next (data minimisation).
-- remedy: Run 'dbt run'. If the rule still fails, look at models/intermediate/int_play_fates.sql, functions/consented_country.sql and functions/is_abroad.sql.
select place
from {unconsented} as unconsented
where not is_every_row
