"""The numbers of the docs site, from the marts and ``audit``: each only if its row is of more persons than ``small_group_persons``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.release.parameters import small_group
from consonance.report.cells import refuse_small_cells
from consonance.study.folder import Study
from consonance.study.records import records
from consonance.study.vault import attach_to_read, lock_down, session_settings

# Each with the number of persons that a row is of. Of consent they say whether it is there: rows by purpose would be parts of
# one another, and their differences rows of few persons.
QUERIES = {
    "coverage": """
        select relation, purpose, participants as persons, rows_without_consent = 0 as is_covered
        from audit.consent_coverage
        order by all
    """,
    "without_consent": """
        select coalesce(sum(rows_without_consent), 0) = 0 as is_covered, (select count(*) from marts.participants) as persons
        from audit.consent_coverage
    """,
}
# Of a table that 'consonance attack' makes in the warehouse and each rebuild drops: it is not on the desk.
RISKS = """
    select attack, knowledge, points, wrong_points, replace(measure, '_', ' ') as measure, persons, value, low, high
    from audit.privacy_risk
    where attack <> 'membership' and coalesce(attack <> 'unicity' or wrong_points = 0, true)
    order by attack, wrong_points, knowledge, points, rowid
"""


@dataclass(frozen=True)
class Told:
    """What a page says: the rows of more persons than ``small_group``, and how many others there are."""

    rows: list[dict[str, Any]]
    left_out: int


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that has the desk, or the warehouse, in use, under the name that models have for it, and no way to any
    other file.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, database, "warehouse")
        connection.execute("use warehouse")
        lock_down(connection, [])
        yield connection


def risks(study: Study) -> Told:
    """The figures of the attacks on the marts of ``study``; none if they were not measured since the last run of dbt."""
    with opened(study.warehouse_path) as connection:
        measured = "select 1 from duckdb_tables() where schema_name = 'audit' and table_name = 'privacy_risk'"
        return told(connection, RISKS) if connection.execute(measured).fetchall() else Told([], 0)


def numbers(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Told]:
    """What the ``QUERIES`` find, by name."""
    return {name: told(connection, query) for name, query in QUERIES.items()}


def told(connection: duckdb.DuckDBPyConnection, query: str, *, parts_of: Sequence[str] | None = None) -> Told:
    """What ``query`` finds, without the rows of few persons.

    Args:
        connection: The desk, or the warehouse, is the database in use.
        query: With a column ``persons``.
        parts_of: If rows are parts of a whole that may be known: the columns that name it, none if all rows are of one whole.
            Of each whole of which a row is left out one more is, the smallest of the others, so that those left out are of
            more than few persons together. Of equals it is the last: what stands first may be a whole on another page.

    Raises:
        SmallCells: its rows do not say of how many persons they are.
    """
    found = connection.execute(query)
    columns = [column[0] for column in found.description or []]
    rows = records(found)
    small = [row for row in rows if 0 < row.get("persons", 0) <= small_group()]
    shown = [row for row in rows if row not in small]
    if parts_of is not None:
        for whole in {tuple(row[name] for name in parts_of) for row in small}:
            parts = [row for row in shown if tuple(row[name] for name in parts_of) == whole]
            if parts:
                shown.remove(min(reversed(parts), key=lambda row: row["persons"]))
    refuse_small_cells(shown, columns, "consonance/site/numbers.py")
    return Told(shown, len(rows) - len(shown))
