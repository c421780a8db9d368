"""The tables that rules check, as the catalogue of the database has them, and whose their rows are.

Nothing here goes by a list of tables: a new table, of whatever schema, is checked as soon as it is there. Nor by the
names of columns: whose rows a table has is seen from its values, which are pseudonyms, or ids of somebody's records.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from consonance.checks.declarations import declared_needs

# The database that is checked.
CHECKED = "warehouse"
# The study that a release is made of, as the rules of releases see it: it has the release's ids by design.
MADE = "made"
# Tables of counts in which those without an active consent are one sum, and what stands for them. In any other table
# this would be a participant who consents to nothing.
SUMS, NOBODY = ("anonymized.anon_row_accounting", "audit.row_accounting"), "no active consent"
# The texts of the tables that are checked, each once, are read many times: they are a temporary table.
TEXTS = "rule_texts"
# Ids of records in tables without persons, and whose the records are.
RECORDS = "rule_records"
WHOLE = ("BIGINT", "UBIGINT", "HUGEINT", "UHUGEINT")
# Ids are random numbers of 63 bits. Counts, and lengths in milliseconds, are smaller.
LEAST_ID = 10**12
# Milliseconds, and microseconds, since 1970 of the years 2005 to 2039: no count, and no length of a play, is so large.
EPOCHS = ((1_104_000_000_000, 2_208_000_000_000), (1_104_000_000_000_000, 2_208_000_000_000_000))

# Rows are values that a query gives; a purpose is one of which each is enough, with the rows that need it.
Fetch = Callable[[str], Sequence[Sequence[Any]]]
Need = tuple[tuple[str, ...], str]


@dataclass(frozen=True)
class Table:
    """A table of an attached database.

    Attributes:
        database: As it is attached.
        name: ``schema.table``.
        types: The type of each column.
        persons: The columns that hold pseudonyms of participants; ``participant_id`` is one by its name.
        records: Of a table without them, the columns that hold ids of somebody's records.
        clocks: SQL for a moment, of columns that hold moments and have no type of time: texts, milliseconds since 1970.
        needs: What the model declares that its rows need.
    """

    database: str
    name: str
    types: Mapping[str, str]
    persons: tuple[str, ...] = ()
    records: tuple[str, ...] = ()
    clocks: Mapping[str, str] | None = None
    needs: tuple[Need, ...] = ()

    @property
    def place(self) -> str:
        """As SQL calls it."""
        schema, _, table = self.name.partition(".")
        return f'{self.database}."{schema}"."{table}"'

    @property
    def schema(self) -> str:
        return self.name.partition(".")[0]

    @property
    def temporal(self) -> dict[str, str]:
        """SQL for the moment in each column that holds one."""
        typed = {
            column: f'cast("{column}" as timestamp)'
            for column, data_type in self.types.items()
            if data_type == "DATE" or data_type.startswith("TIMESTAMP")
        }
        return typed | dict(self.clocks or {})

    def of_types(self, *types: str) -> list[str]:
        return [column for column, data_type in self.types.items() if data_type in types]


def read_tables(fetch: Fetch) -> tuple[list[Table], list[Table]]:
    """The tables that are checked, and those of the databases beside them.

    Args:
        fetch: Runs SQL where the databases are attached, and gives the rows. It makes temporary tables.
    """
    tables = list(_tables(fetch))
    checked = [table for table in tables if table.database == CHECKED]
    beside = [table for table in tables if table.database not in (CHECKED, MADE)]
    _make_texts(fetch, checked)
    needs = _needs(fetch, checked)
    persons = _columns(fetch, f"select distinct place from {TEXTS} where value in ({PSEUDONYMS})")
    dates = _columns(fetch, f"select place from {TEXTS} group by place having bool_and({IS_DATE})")
    checked = [
        replace(
            table,
            persons=tuple(
                dict.fromkeys(("participant_id",) * ("participant_id" in table.types) + persons.get(table.name, ()))
            ),
            needs=tuple(needs.get(table.name, ())),
        )
        for table in checked
    ]
    records = _records(fetch, checked)
    return [
        replace(table, records=records.get(table.name, ()), clocks=_clocks(fetch, table, dates.get(table.name, ())))
        for table in checked
    ], beside


PSEUDONYMS = "select pseudonym from vault.raw.keyring union all select pseudonym from vault.raw.release_keyring"
IS_DATE = r"coalesce(regexp_matches(value, '^\d{4}-\d\d-\d\d') and try_cast(value as timestamp) is not null, false)"


def _tables(fetch: Fetch) -> Iterator[Table]:
    rows = fetch(
        """
        select table_catalog, table_schema || '.' || table_name as table_name, column_name, data_type
        from information_schema.columns
        where
            table_catalog not in ('memory', 'vault', 'catalogue', 'system', 'temp')
            and table_schema not in ('information_schema', 'pg_catalog')
        order by table_catalog, table_schema, columns.table_name, ordinal_position
        """
    )
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for database, table, column, data_type in rows:
        columns.setdefault((str(database), str(table)), {})[str(column)] = str(data_type)
    for (database, name), types in columns.items():
        yield Table(database, name, types)


def _make_texts(fetch: Fetch, tables: Sequence[Table]) -> None:
    """Every text of ``tables`` with its place; of a seed also the line of its file, and whole numbers, written out."""
    parts = ["select '' as place, '' as value, cast(null as bigint) as line where false"]
    for table in tables:
        is_seed = table.schema == "reference"
        line = "rowid + 2" if is_seed else "cast(null as bigint)"
        for column in table.of_types("VARCHAR", "UUID", *(("INTEGER", "BIGINT") if is_seed else ())):
            parts.append(
                f"select '{table.name}.{column}', cast(\"{column}\" as varchar), min({line}) "
                f'from {table.place} where "{column}" is not null group by all'
            )
    fetch(f"create or replace temp table {TEXTS} as " + " union all ".join(parts))


def _needs(fetch: Fetch, tables: Sequence[Table]) -> dict[str, list[Need]]:
    """What each table needs: as ``audit.purposes`` says, and as the models themselves declare.

    A release has no ``audit.purposes``; its rules ask the ledger for the purpose of its tier.
    """
    if not any(table.name == "audit.purposes" for table in tables):
        return {}
    rows = fetch(f"select relation, purpose, condition from {CHECKED}.audit.purposes order by all")
    there = {table.name for table in tables}
    needs: dict[str, list[Need]] = {}
    for table, purpose, condition in [*rows, *declared_needs()]:
        need = (tuple(str(purpose).split(" or ")), str(condition))
        if table in there and need not in needs.setdefault(str(table), []):
            needs[str(table)].append(need)
    return needs


def _columns(fetch: Fetch, query: str) -> dict[str, tuple[str, ...]]:
    """The columns that ``query`` gives as places, by table."""
    columns: dict[str, list[str]] = {}
    for place in sorted(str(place) for (place,) in fetch(query)):
        table, _, column = place.rpartition(".")
        columns.setdefault(table, []).append(column)
    return {table: tuple(found) for table, found in columns.items()}


def _records(fetch: Fetch, tables: Sequence[Table]) -> dict[str, tuple[str, ...]]:
    """The columns of tables without persons that hold ids of somebody's plays or reports, by table.

    Whose they are is written into the temporary table ``RECORDS``.
    """
    without = [table for table in tables if not table.persons]
    numbers = [
        f"select distinct '{table.name}.{column}' as place, try_cast(\"{column}\" as bigint) as id from {table.place} "
        f'where "{column}" > {LEAST_ID}'
        for table in without
        for column in table.of_types(*WHOLE)
    ]
    numbers += [
        f"select place, try_cast(value as bigint) from {TEXTS} "
        f"where place = '{table.name}.{column}' and regexp_full_match(value, '[0-9]{{13,19}}')"
        for table in without
        for column in table.of_types("VARCHAR")
    ]
    owned = [
        f'select "{column}" as id, "{table.persons[0]}" as participant_id from {table.place} '
        f'where "{column}" in (select id from rule_numbers)'
        for table in tables
        if table.persons and (table.schema == "anonymized" or not any(one.schema == "anonymized" for one in tables))
        for column in table.of_types("BIGINT")
        if column.endswith("_id") and not column.endswith("track_id")
    ]
    nothing = "select '' as place, cast(null as bigint) as id where false"
    fetch("create or replace temp table rule_numbers as " + " union all ".join([nothing, *numbers]))
    nobody = "select cast(null as bigint) as id, '' as participant_id where false"
    fetch(f"create or replace temp table {RECORDS} as select distinct * from ({' union all '.join([nobody, *owned])})")
    return _columns(fetch, f"select distinct place from rule_numbers where id in (select id from {RECORDS})")


def _clocks(fetch: Fetch, table: Table, dates: Sequence[str]) -> dict[str, str]:
    """SQL for the moment in each column of a table of persons that holds moments and has no type of time."""
    if not table.persons:
        return {}
    found = {column: f'cast("{column}" as timestamp)' for column in dates}
    numbers = table.of_types(*WHOLE, "DOUBLE")
    if numbers:
        bounds = ", ".join(f'min("{column}"), max("{column}")' for column in numbers)
        ((*values,),) = fetch(f"select {bounds} from {table.place}")
        for place, column in enumerate(numbers):
            first, last = values[2 * place], values[2 * place + 1]
            for unit, (earliest, latest) in zip(("", " // 1000"), EPOCHS, strict=True):
                if first is not None and earliest <= first and last <= latest:
                    found[column] = f'make_timestamp_ms(cast("{column}" as bigint){unit})'
    return found
