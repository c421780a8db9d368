"""The check that no key links a release with another one or with the warehouse, whatever its column is called.

A key is a column whose values tell one row, or one person, from the others, and are elsewhere too. Whether a column is
one is seen from its values. What a list of the tier calls facts (of tracks) and numbers (of what was heard) may recur:
so facts must be those of ``marts.tracks``, and numbers must be numbers and differ within a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from consonance.checks.check import CheckResult
from consonance.release.contents import controlled_tables
from consonance.study.vault import attach_to_read, session_settings

# A column with fewer values is no key of many persons: 13 kinds of devices may each be used by one person only.
FEWEST_VALUES = 8
# Of its values so many must belong to one person, or to one row of a table without persons.
NEARLY_ALL = 0.9
# So many of its values must be elsewhere: a few times are there by chance. Of an id not a single one may be.
RECURRING = 0.25
# So many values of a column are looked for, drawn by their hash.
SAMPLE = 2_000
# Nothing that is counted or measured is larger: a hash of 64 bits nearly always is.
LARGEST_NUMBER = 1e15
INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)
TRACK = ("track_id", "playing_track_id")


@dataclass(frozen=True)
class _Column:
    """A column of an attached database: ``table`` is ``schema.table``."""

    database: str
    table: str
    name: str
    type: str

    @property
    def place(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def sql(self) -> str:
        return f'"{self.name}"'

    @property
    def family(self) -> str | None:
        """Columns of one family can have equal values: times, or texts and whole numbers. Days recur after any shift."""
        if self.type.startswith("TIMESTAMP"):
            return "times"
        return "values" if self.type in (*INTEGERS, "VARCHAR", "UUID", "BLOB") else None


def check_nothing_links(release: Path, elsewhere: Mapping[str, Path]) -> CheckResult:
    """Look for keys among the columns of a controlled release.

    Args:
        release: Its database.
        elsewhere: Other databases by name: the warehouse as it was, earlier releases.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, release, "research")
        names = {f"other_{number}": name for number, name in enumerate(elsewhere)}
        for database, name in names.items():
            attach_to_read(connection, elsewhere[name], database)
        columns = _columns(connection)
        ours = [
            column for column in columns if column.database == "research" and not column.table.startswith("reference.")
        ]
        others = [column for column in columns if column.database in names and column.family]
        problems = [*_no_numbers(connection, ours), *_no_facts(connection, ours)]
        tested = [column for column in ours if _kind(column) not in ("facts", "numbers", "figures")]
        keys = [column for column in tested if column.family and _is_near_unique(connection, column, ours)]
        problems += [
            f"{place} links the release with {names[other.database]}: its values are in {other.place} too"
            for place, other in _recurring(connection, keys, others).items()
        ]
    details = {"keys": [key.place for key in keys], "compared_with": list(names.values()), "problems": problems}
    if problems:
        remedy = (
            "Make the value with a secret of the release (functions/record_id.sql), or remove the column from "
            "consonance/release/controlled_tables.yml."
        )
        return CheckResult("no key links", False, f"{problems[0]}.", details, remedy)
    return CheckResult(
        "no key links",
        True,
        f"{len(keys)} columns tell persons or rows apart, and none of them has values of {' or '.join(names.values())}.",
        details,
    )


def _kind(column: _Column) -> str | None:
    """The kind that the list of the tier gives the column, if it knows it."""
    return controlled_tables().get(column.table, {}).get(column.name)


def _columns(connection: duckdb.DuckDBPyConnection) -> list[_Column]:
    return [
        _Column(*row)
        for row in connection.execute(
            """
            select database_name, schema_name || '.' || table_name, column_name, data_type
            from duckdb_columns()
            where not internal and schema_name <> 'reference' and database_name <> 'temp'
            order by database_name, schema_name, table_name, column_index
            """
        ).fetchall()
    ]


def _has_persons(column: _Column, ours: list[_Column]) -> bool:
    return any(other.table == column.table and other.name == "participant_id" for other in ours)


def _has_records(column: _Column, ours: list[_Column]) -> bool:
    """Whether a row is something of a person's, with an id of its own, and no sum over the person."""
    return any(
        other.table == column.table and _kind(other) == "ids" and other.name != "participant_id" for other in ours
    )


def _is_near_unique(connection: duckdb.DuckDBPyConnection, column: _Column, ours: list[_Column]) -> bool:
    """Whether nearly every value belongs to one person only, or to one row of a table without persons."""
    holder = "participant_id" if _has_persons(column, ours) else "rowid"
    ((values, alone),) = connection.execute(
        f"""
        select count(*), count(*) filter (where holders = 1)
        from (
            select count(distinct {holder}) as holders from research.{column.table}
            where {column.sql} is not null group by {column.sql}
        )
        """
    ).fetchall()
    return bool(values >= FEWEST_VALUES and alone >= NEARLY_ALL * values)


def _recurring(connection: duckdb.DuckDBPyConnection, keys: list[_Column], others: list[_Column]) -> dict[str, _Column]:
    """Of the keys, by place, those whose values are in another column; and the column that has most of them."""
    connection.execute("create temp table sample (family varchar, place varchar, value varchar)")
    for key in keys:
        connection.execute(
            f"""
            insert into sample
            select distinct '{key.family}', '{key.place}', cast({key.sql} as varchar)
            from research.{key.table}
            where {key.sql} is not null
            order by hash(cast({key.sql} as varchar))
            limit {SAMPLE}
            """
        )
    sizes = dict(connection.execute("select place, count(*) from sample group by place").fetchall())
    allowed = {key.place: 0 if _kind(key) == "ids" else RECURRING * sizes[key.place] for key in keys}
    found: dict[str, tuple[int, _Column]] = {}
    for other in others:
        for place, count in connection.execute(
            f"""
            select place, count(distinct value)
            from sample
            where
                family = '{other.family}'
                and value in (select cast({other.sql} as varchar) from {other.database}.{other.table})
            group by place
            """
        ).fetchall():
            if count > max(allowed[place], found[place][0] if place in found else 0):
                found[place] = count, other
    return {place: other for place, (_, other) in found.items()}


def _no_numbers(connection: duckdb.DuckDBPyConnection, ours: list[_Column]) -> Iterator[str]:
    """The columns that the list calls numbers, and that are none."""
    numbers = [column for column in ours if _kind(column) == "numbers"]
    for column in numbers:
        if column.type not in (*INTEGERS, "DOUBLE", "FLOAT") and not column.type.startswith("DECIMAL"):
            yield f"{column.place} is on the list as a number, and is of the type {column.type}"
    for table in dict.fromkeys(column.table for column in numbers if _has_records(column, ours)):
        columns = [column for column in numbers if column.table == table]
        ends = [
            f"min(try_cast({column.sql} as double)) as low_{at}, max(try_cast({column.sql} as double)) as high_{at}"
            for at, column in enumerate(columns)
        ]
        measured = [
            f"max(greatest(abs(low_{at}), abs(high_{at}))), coalesce(bool_and(low_{at} = high_{at}), false), count(distinct low_{at})"
            for at in range(len(columns))
        ]
        ((rows, persons, *figures),) = connection.execute(
            f"""
            select sum(rows), count(*), {", ".join(measured)}
            from (select count(*) as rows, {", ".join(ends)} from research.{table} group by participant_id)
            """
        ).fetchall()
        for column, largest, is_constant, values in zip(
            columns, figures[::3], figures[1::3], figures[2::3], strict=True
        ):
            if (largest or 0) > LARGEST_NUMBER:
                yield f"{column.place} is on the list as a number, and has values like those of a hash"
            elif is_constant and rows > persons >= values >= max(FEWEST_VALUES, NEARLY_ALL * persons):
                yield f"{column.place} is on the list as a number, and is one and the same for each person: it is a key"


def _no_facts(connection: duckdb.DuckDBPyConnection, ours: list[_Column]) -> Iterator[str]:
    """The columns beside persons that the list calls facts, and that are not those of the row's track."""
    of_tracks = {column.name for column in ours if column.table == "marts.tracks"}
    for column in ours:
        if _kind(column) != "facts" or not _has_persons(column, ours):
            continue
        names = {other.name for other in ours if other.table == column.table}
        key = column.name if column.name in TRACK else "track_id"
        fact = "track_id" if column.name in TRACK else column.name
        if key not in names or fact not in of_tracks:
            yield f"{column.place} is on the list as a fact, and marts.tracks has no such column"
            continue
        ((other,),) = connection.execute(
            f"""
            select count(*)
            from research.{column.table} as listed
            left join research.marts.tracks as tracks on tracks.track_id = listed.{key}
            where listed.{column.sql} is distinct from tracks."{fact}"
            """
        ).fetchall()
        if other:
            yield f"{column.place} is on the list as a fact, and {other} rows have another value than marts.tracks"
