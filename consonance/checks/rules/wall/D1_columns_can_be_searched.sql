-- relation: (select table_schema, table_name, column_name, data_type from information_schema.columns where table_catalog = 'warehouse')
-- what: Every column right of the wall has a plain type: a text, a number, a flag, a date or a moment.
-- example: A column of type JSON, or a list of texts.
-- why: The rules search every text, and look at every moment, by the type of its column. They cannot see into a list, a structure or bytes.
-- remedy: Give each value a column, or a row, of its own in the file named first.
select
    columns.table_schema || '.' || columns.table_name || '.' || columns.column_name as place,
    'has the type ' || columns.data_type as detail
from (select table_schema, table_name, column_name, data_type from information_schema.columns where table_catalog = 'warehouse') as columns
where
    not regexp_full_match(
        columns.data_type,
        'VARCHAR|UUID|BOOLEAN|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|FLOAT|DOUBLE|DECIMAL\([0-9]+,[0-9]+\)|DATE|TIMESTAMP(_S|_MS|_NS)?'
    )
