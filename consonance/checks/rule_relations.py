"""The relations that rules read with ``{…}``: each is a union over every table that is checked.

They are made from the catalogue of the database, never from a list of tables: a new table or column is
checked as soon as it is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# The database that is checked.
CHECKED = "warehouse"
# The study that a release is made of, as the rules of releases see it: it has the release's ids by design.
MADE = "made"
# The attacks write its rows in an order of their own; dbt does not make this table.
RISK = "audit.privacy_risk"
NUMBERS = ("INTEGER", "BIGINT", "UBIGINT", "HUGEINT", "FLOAT", "DOUBLE")
# Purposes by table: each a tuple of purposes of which one is needed, and the rows that need it.
Declared = Mapping[str, Sequence[tuple[list[str], str]]]
Fetch = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class Table:
    """A table of an attached database: ``name`` is ``schema.table``, ``types`` gives the type of each column."""

    database: str
    name: str
    types: Mapping[str, str]

    @property
    def has_persons(self) -> bool:
        return "participant_id" in self.types


# A relation without any part is empty, and still has its columns.
EMPTY = {
    "strings": "select '' as place, '' as value where false",
    "persons": "select '' as place, '' as participant_id, [''] as purposes, true as is_every_row where false",
    "times": (
        "select '' as place, '' as participant_id, cast(null as timestamp) as first_time, "
        "cast(null as timestamp) as last_time where false"
    ),
    "clocks": (
        "select '' as place, '' as participant_id, 0 as rows, 0.0 as spread_s, 0.0 as step, 0.0 as fit where false"
    ),
    "ids": "select '' as place, cast(null as varchar) as text_id, cast(null as bigint) as number_id where false",
    "unordered": "select '' as place where false",
    "public_values": "select '' as relation, '' as cell, '' as measure, 0.0 as value where false",
}


def write_out(queries: Sequence[str], fetch: Fetch) -> list[str]:
    """The queries with each ``{name}`` of an assembled relation written out.

    ``strings``: each distinct text with its place. ``persons``: see ``_persons``. ``times``: each
    participant's first and last time in each temporal column. ``clocks``: see ``_clocks``. ``ids``: see
    ``_ids``; ``ids_elsewhere``: the same of the other databases. ``unordered``: see ``_unordered``. ``public_values``: see
    ``_public_values``.

    Args:
        queries: SQL.
        fetch: Runs SQL where the databases are attached, and gives the rows.
    """
    tables = _tables(fetch)
    checked = [table for table in tables if table.database == CHECKED]
    elsewhere = [table for table in tables if table.database not in (CHECKED, MADE)]
    declared = _declared(fetch, checked)
    relations = {
        "strings": _union("strings", map(_strings, checked)),
        "persons": _union("persons", (_persons(table, declared) for table in checked)),
        "times": _union("times", map(_times, checked)),
        "clocks": _union("clocks", map(_clocks, checked)),
        "ids": _union("ids", map(_ids, checked)),
        "ids_elsewhere": _union("ids", map(_ids, elsewhere)),
        "unordered": _union("unordered", map(_unordered, checked)),
        "public_values": _union("public_values", map(_public_values, checked)),
    }
    written = []
    for query in queries:
        for name, relation in relations.items():
            query = query.replace(f"{{{name}}}", relation)
        written.append(query)
    return written


def _tables(fetch: Fetch) -> list[Table]:
    rows = fetch(
        """
        select table_catalog, table_schema || '.' || table_name as table_name, column_name, data_type
        from information_schema.columns
        where
            table_catalog not in ('memory', 'vault', 'catalogue', 'system', 'temp')
            and table_schema not in ('reference', 'information_schema')
        order by table_catalog, table_schema, columns.table_name, ordinal_position
        """
    )
    columns: dict[tuple[str, str], dict[str, str]] = {}
    for database, table, column, data_type in rows:
        columns.setdefault((str(database), str(table)), {})[str(column)] = str(data_type)
    return [Table(database, name, types) for (database, name), types in columns.items()]


def _declared(fetch: Fetch, tables: Sequence[Table]) -> Declared:
    """The purposes that ``audit.purposes`` declares; nothing in a release, which has no such table."""
    declared: dict[str, list[tuple[list[str], str]]] = {}
    if any(table.name == "audit.purposes" for table in tables):
        for table, purpose, condition in fetch(
            f"select relation, purpose, condition from {CHECKED}.audit.purposes order by all"
        ):
            declared.setdefault(str(table), []).append((str(purpose).split(" or "), str(condition)))
    return declared


def _union(name: str, parts: Iterator[Iterator[str]]) -> str:
    return "(" + " union all ".join([EMPTY[name], *(select for part in parts for select in part)]) + ")"


def _strings(table: Table) -> Iterator[str]:
    for column, data_type in table.types.items():
        if data_type == "VARCHAR":
            yield f"""
                select distinct '{table.name}.{column}' as place, "{column}" as value
                from {table.database}.{table.name}
                where "{column}" is not null
            """


def _persons(table: Table, declared: Declared) -> Iterator[str]:
    """Each participant of the table, with purposes of which one is needed.

    ``is_every_row`` says whether all rows of the table need it, or only those that are counted here. A
    table that declares nothing needs what nobody can grant.
    """
    if not table.has_persons:
        return
    for purposes, condition in declared.get(table.name, [([], "true")]):
        yield f"""
            select distinct
                '{table.name}' as place,
                participant_id,
                {purposes} as purposes,
                {condition == "true"} as is_every_row
            from {table.database}.{table.name}
            where {condition}
        """


def _times(table: Table) -> Iterator[str]:
    for column in _temporal(table) if table.has_persons else ():
        yield f"""
            select
                '{table.name}.{column}' as place,
                participant_id,
                cast(min("{column}") as timestamp) as first_time,
                cast(max("{column}") as timestamp) as last_time
            from {table.database}.{table.name}
            group by participant_id
        """


def _clocks(table: Table) -> Iterator[str]:
    """How closely each number of a mart follows each local time beside it, participant by participant.

    Measured by a straight line of so many units a second.
    """
    if not (table.name.startswith("marts.") and table.has_persons):
        return
    numbers = [
        column for column, data_type in table.types.items() if data_type in NUMBERS and not column.endswith("_id")
    ]
    for time in _temporal(table):
        for number in numbers:
            yield f"""
                select
                    '{table.name}.{number} beside {time}' as place,
                    participant_id,
                    count(*) as rows,
                    stddev_pop(epoch("{time}")) as spread_s,
                    -- Three digits: what drifts by an hour in ten days is no clock.
                    cast(printf('%.3g', regr_slope("{number}", epoch("{time}"))) as double) as step,
                    regr_r2("{number}", epoch("{time}")) as fit
                from {table.database}.{table.name}
                where "{number}" is not null and "{time}" is not null
                group by participant_id
            """


def _ids(table: Table) -> Iterator[str]:
    """Each id of a person or of something of a person's, as text or as number.

    A track belongs to everybody, unless it is private, and so does a source of features.
    """
    for column, data_type in table.types.items():
        if not column.endswith("_id") or column.endswith("source_id"):
            continue
        if column.endswith("track_id") and "is_private" not in table.types:
            continue
        # Numbers tell one record from another and hardly repeat; names repeat in every row.
        kinds = {
            "VARCHAR": f"distinct '{table.name}.{column}', \"{column}\", null",
            "BIGINT": f"'{table.name}.{column}', null, \"{column}\"",
        }
        if data_type in kinds:
            where = " where is_private" if column == "track_id" else ""
            yield f"select {kinds[data_type]} from {table.database}.{table.name}{where}"


def _unordered(table: Table) -> Iterator[str]:
    """Each row that stands before one that belongs before it: by participant_id, or else by all columns."""
    if table.name == RISK:
        return
    keys = ["participant_id"] if table.has_persons else list(table.types)
    row = "row(" + ", ".join(f'"{key}"' for key in keys) + ")"
    yield f"""
        select '{table.name}' as place
        from (
            select {row} as current_row, lag({row}) over () as previous_row from {table.database}.{table.name}
        )
        where current_row < previous_row
    """


def _public_values(table: Table) -> Iterator[str]:
    """Each number of a public table: of how many persons a cell is, or a mean. The other columns name the cell.

    A table without a number gives its cells too: nobody expects them. Reference data has no persons.
    """
    if table.name.startswith("reference."):
        return
    numbers = [name for name, data_type in table.types.items() if name == "persons" or data_type in ("FLOAT", "DOUBLE")]
    names = [f"coalesce(cast(\"{name}\" as varchar), '')" for name in table.types if name not in numbers]
    cell = f"concat_ws('|', {', '.join(names)})" if names else "''"
    for measure, value in [(name, f'cast("{name}" as double)') for name in numbers] or [("", "null")]:
        yield f"""
            select '{table.name}' as relation, {cell} as cell, '{measure}' as measure, {value} as value
            from {table.database}.{table.name}
        """


def _temporal(table: Table) -> list[str]:
    return [
        column for column, data_type in table.types.items() if data_type == "DATE" or data_type.startswith("TIMESTAMP")
    ]
