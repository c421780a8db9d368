-- relation: (select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw')
-- what: The vault has no table and no column but those that consonance/study/stores.yml declares, and none for fields that are never loaded: addresses, user agents, places, e-mails, names of people, searches.
-- example: A column ip_addr in raw.extended_plays; a table that was made by hand, of which no withdrawal knows.
-- why: What was never loaded cannot leak (data minimisation; D1). What is not declared is not erased.
-- remedy: Remove the column from consonance/study/stores.yml, and load into a new vault. What was made by hand: drop it.
with declared as (
    {%- for table, columns in raw_columns.items() %}
    select '{{ table }}' as table_name, unnest({{ columns }}) as column_name
    {{- '' if loop.last else '\n    union all' }}
    {%- endfor %}
)
select
    'raw.' || columns.table_name || '.' || columns.column_name as place,
    case when declared.column_name is null then 'is not declared' else 'is for a field that is never loaded' end as detail
from (select table_name, column_name from information_schema.columns where table_catalog = 'vault' and table_schema = 'raw') as columns
left join declared on declared.table_name = columns.table_name and declared.column_name = columns.column_name
where
    regexp_matches(columns.column_name, '(?i)ip_?addr|agent|email|address|latitude|longitude|city|metro|search|playlist|first_?name|last_?name|birth_?date')
    or (
        declared.column_name is null
        -- What is a view is made of declared tables: consonance/study/views.sql.
        and columns.table_name in (select table_name from duckdb_tables() where database_name = 'vault' and schema_name = 'raw')
    )
