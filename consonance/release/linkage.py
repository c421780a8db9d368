"""The check that no key links a release with another one or with the warehouse, whatever its column is called.

A key is a column whose values tell one row, or one person, from the others, and are elsewhere too. Whether a column is
one is seen from its values. Only what the list of the tier calls facts, numbers or totals may recur; ``kinds`` checks that
it is that.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import duckdb

from consonance.checks.check import CheckResult, listed
from consonance.release.columns import Column, columns_of, has_persons, kind_of
from consonance.release.kinds import is_of_persons, not_of_their_kind
from consonance.study.vault import attach_to_read, session_settings

REMEDY_FOR_KINDS = (
    "Look at consonance/release/controlled_tables.yml, which gives each column its kind, and at consonance/release/kinds.py, "
    "which says what is of a kind."
)
REMEDY_FOR_KEYS = (
    "Make the value with a secret of the release (functions/record_id.sql), or remove the column from "
    "consonance/release/controlled_tables.yml."
)
MAY_RECUR = ("facts", "totals", "figures")
# A column with fewer values is no key of many persons: 13 kinds of devices may each be used by one person only.
FEWEST_VALUES = 8
# Of its values so many must belong to one person, or to one row of a table without persons.
NEARLY_ALL = 0.9
# So many of its values must be elsewhere, by kind. Of an id not a single one may be. Times of prompts at fixed hours are
# there by chance if two shifts are nearly the same; times that are not shifted anew are all there.
RECURRING = {"ids": 0.0, "times": 0.75}
RECURRING_OTHERS = 0.25
# So many values of a column are looked for, drawn by their hash.
SAMPLE = 2_000


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
        columns = columns_of(connection)
        ours = [
            column for column in columns if column.database == "research" and not column.table.startswith("reference.")
        ]
        others = [column for column in columns if column.database in names and column.family]
        of_another_kind = [*not_of_their_kind(connection, ours)]
        keys = [
            column
            for column in ours
            if column.family and not _may_recur(connection, column, ours) and _is_near_unique(connection, column, ours)
        ]
        linking = [
            f"{place} links the release with {names[other.database]}: its values are in {other.place} too"
            for place, other in _recurring(connection, keys, others).items()
        ]
    problems = [*of_another_kind, *linking]
    details = {"keys": [key.place for key in keys], "compared_with": list(names.values()), "problems": problems}
    if problems:
        remedies = {REMEDY_FOR_KINDS: of_another_kind, REMEDY_FOR_KEYS: linking}
        remedy = " ".join(words for words, found in remedies.items() if found)
        return CheckResult("no key links", False, listed(problems), details, remedy)
    return CheckResult(
        "no key links",
        True,
        f"{len(keys)} columns tell persons or rows apart, and none of them has values of {' or '.join(names.values())}.",
        details,
    )


def _may_recur(connection: duckdb.DuckDBPyConnection, column: Column, ours: list[Column]) -> bool:
    """Whether the column may have the values that it has elsewhere: what was heard is the same everywhere."""
    kind = kind_of(column)
    return kind in MAY_RECUR or (kind == "numbers" and not is_of_persons(connection, column, ours))


def _is_near_unique(connection: duckdb.DuckDBPyConnection, column: Column, ours: list[Column]) -> bool:
    """Whether nearly every value belongs to one person only, or to one row of a table without persons."""
    holder = "participant_id" if has_persons(column, ours) else "rowid"
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


def _recurring(connection: duckdb.DuckDBPyConnection, keys: list[Column], others: list[Column]) -> dict[str, Column]:
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
    allowed = {key.place: RECURRING.get(kind_of(key) or "", RECURRING_OTHERS) * sizes[key.place] for key in keys}
    found: dict[str, tuple[int, Column]] = {}
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
