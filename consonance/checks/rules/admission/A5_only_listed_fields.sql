-- relation: (select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw')
-- what: The vault has no column for fields that are never loaded: addresses, user agents, places, e-mails, names of people, searches.
-- example: A column ip_addr in raw.extended_plays.
-- why: What was never loaded cannot leak (data minimisation; D1).
-- remedy: Remove the column from consonance/study/stores.yml, and load into a new vault.
select table_name, column_name
from (select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw') as columns
where regexp_matches(column_name, '(?i)ip_?addr|agent|email|address|latitude|longitude|city|metro|search|playlist|first_?name|last_?name|birth_?date')
