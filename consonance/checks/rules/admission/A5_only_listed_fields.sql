-- relation: (select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw')
-- what: The vault has no column for what is never landed: addresses, agents, places, e-mails, names of people, searches.
-- example: A column ip_addr in raw.extended_plays.
-- why: What was not landed cannot leak (data minimisation; D1).
-- remedy: Take the column out of consonance/study/stores.yml, and load into a fresh vault.
select table_name, column_name
from (select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw') as columns
where regexp_matches(column_name, '(?i)ip_?addr|agent|email|address|latitude|longitude|city|metro|search|playlist|first_?name|last_?name|birth_?date')
