-- relation: (select table_name, column_name from information_schema.columns where table_catalog = 'warehouse' and table_schema = 'marts')
-- tier: public
-- what: Every row of a public table counts persons. No column is an id or a time.
-- example: marts.plays, or a table of listening by day, in a public release.
-- why: Four known tracks identify 94 % of listeners. Coarser times do not help (D4).
-- remedy: Remove the column from consonance/release/public_tables.sql.
select columns.table_name || '.' || columns.column_name as place
from information_schema.columns
where
    columns.table_catalog = 'warehouse'
    and columns.table_schema <> 'reference'
    and (
        (columns.table_schema <> 'audit' and (columns.column_name like '%\_id' escape '\' or columns.column_name like '%elapsed%'))
        or regexp_matches(columns.data_type, '^(DATE|TIME|INTERVAL)|\[|STRUCT|MAP|BLOB')
    )
union all
select tables.table_name
from information_schema.tables
where
    tables.table_catalog = 'warehouse'
    and (
        tables.table_schema not in ('marts', 'reference', 'audit')
        or (
            tables.table_schema = 'marts'
            and not exists (
                select 1
                from information_schema.columns
                where
                    columns.table_catalog = 'warehouse'
                    and columns.table_schema = 'marts'
                    and columns.table_name = tables.table_name
                    and columns.column_name = 'persons'
            )
        )
    )
