"""The numbers of the docs site, from the marts and ``audit``: each only if its row is of more persons than ``small_group_persons``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.release.parameters import small_group
from consonance.report.cells import persons_apart, refuse_small_cells
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
    select attack, knowledge, points, wrong_points, measure, persons, samples, value, low, high
    from audit.privacy_risk
    where attack <> 'membership' and coalesce(attack <> 'unicity' or wrong_points = 0, true)
    order by attack, wrong_points, knowledge, points, rowid
"""
# Measures of the attacks that are numbers of persons.
OF_PERSONS = ("smallest_cell", "persons_in_cells_below_k", "persons_in_cells_below_l")


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
        if not connection.execute(measured).fetchall():
            return Told([], 0)
        ((people,),) = connection.execute("select count(*) from marts.participants").fetchall()
        found = told(connection, RISKS)
    return Told(in_words(found.rows, persons_apart([people, *persons_of(found.rows)])), found.left_out)


def persons_of(figures: Iterable[Mapping[str, Any]]) -> Iterator[int]:
    """Every number of persons that ``figures`` of the attacks say, or give as a share."""
    for figure in figures:
        yield figure["persons"]
        if (count := _counted(figure)) is not None:
            yield count


def in_words(figures: Iterable[Mapping[str, Any]], words: Mapping[int, str]) -> list[dict[str, Any]]:
    """``figures`` of the attacks, with numbers of persons as ``words`` have them (``persons_apart``).

    A share of persons is words too, unless both numbers are given, or it is none or all of them. An interval gives away of how
    many persons a share is.
    """
    return [_in_words(figure, words) for figure in figures]


def _in_words(figure: Mapping[str, Any], words: Mapping[int, str]) -> dict[str, Any]:
    count, of = _counted(figure), figure["persons"]
    said = {**figure, "persons": words[of]}
    if count is None or (_is_given(count, words) and _is_given(of, words)):
        return said
    said["low"] = said["high"] = None
    if figure["measure"] in OF_PERSONS or count not in (0, of):
        said["value"] = f"{words[count]} persons"
    return said


def _counted(figure: Mapping[str, Any]) -> int | None:
    """Of how many persons a figure tells, if it counts them, or if each was tried once."""
    if figure["value"] is None:
        return None
    if figure["measure"] in OF_PERSONS:
        return int(figure["value"])
    return round(figure["value"] * figure["persons"]) if figure["samples"] == figure["persons"] else None


def _is_given(count: int, words: Mapping[int, str]) -> bool:
    return words[count] == f"{count:,}"


def numbers(connection: duckdb.DuckDBPyConnection) -> Mapping[str, Told]:
    """What the ``QUERIES`` find, by name."""
    return {name: told(connection, query) for name, query in QUERIES.items()}


def told(connection: duckdb.DuckDBPyConnection, query: str, *, parts_of: Sequence[str] | None = None) -> Told:
    """What ``query`` finds, without the rows of few persons.

    Args:
        connection: The desk, or the warehouse, is the database in use.
        query: With a column ``persons``.
        parts_of: If rows are parts of wholes that may be known: the columns that name them, the widest first; a part of a part
            is a part of the whole, and all rows are one whole. Of each whole of which only rows of few persons are left out
            one more is, the smallest of the others. Of equals it is the last: what stands first may be a whole elsewhere.

    Raises:
        SmallCells: its rows do not say of how many persons they are.
    """
    found = connection.execute(query)
    columns = [column[0] for column in found.description or []]
    rows = records(found)
    small = [row for row in rows if 0 < row.get("persons", 0) <= small_group()]
    shown = [row for row in rows if row not in small]
    if parts_of is not None:
        for depth in range(len(parts_of), -1, -1):
            _hide_differences(rows, small, shown, parts_of[:depth])
    refuse_small_cells(shown, columns, "consonance/site/numbers.py")
    return Told(shown, len(rows) - len(shown))


def _hide_differences(
    rows: list[dict[str, Any]], small: list[dict[str, Any]], shown: list[dict[str, Any]], parts_of: Sequence[str]
) -> None:
    """Take from ``shown`` one row of each whole of which none but ``small`` rows are left out."""
    for whole in {tuple(row[name] for name in parts_of) for row in small}:
        parts = [row for row in rows if tuple(row[name] for name in parts_of) == whole]
        there = [row for row in parts if row in shown and row["persons"]]
        if there and all(row in small or row in shown for row in parts):
            shown.remove(min(reversed(there), key=lambda row: row["persons"]))
