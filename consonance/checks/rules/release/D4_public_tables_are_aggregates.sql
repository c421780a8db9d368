-- relation: (select table_name, column_name from information_schema.columns where table_catalog = 'warehouse' and table_schema <> 'reference')
-- tier: public
-- what: Every row of every public table, in whatever schema, counts persons; reference data aside. No column is an id or a time.
-- example: marts.plays, audit.row_accounting, or a table of listening by day, in a public release.
-- why: Four known tracks identify 94 % of listeners. Coarser times do not help (D4).
-- remedy: Remove the column from consonance/release/public_tables.yml.
select columns.table_schema || '.' || columns.table_name || '.' || columns.column_name as place
from information_schema.columns
where
    columns.table_catalog = 'warehouse'
    and columns.table_schema <> 'reference'
    and (
        columns.column_name like '%\_id' escape '\'
        or columns.column_name like '%elapsed%'
        or regexp_matches(columns.data_type, '^(DATE|TIME|INTERVAL)|\[|STRUCT|MAP|BLOB|BIT')
    )
union all
select tables.table_schema || '.' || tables.table_name
from information_schema.tables
where
    tables.table_catalog = 'warehouse'
    and tables.table_schema <> 'reference'
    and not exists (
        select 1
        from information_schema.columns
        where
            columns.table_catalog = 'warehouse'
            and columns.table_schema = tables.table_schema
            and columns.table_name = tables.table_name
            and columns.column_name = 'persons'
    )
