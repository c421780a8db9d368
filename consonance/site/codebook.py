"""The codebook of the docs site: every column for analysts, what it means, how often it is empty, how it is distributed.

A distribution is of rows, and each of its bars of more persons than ``small_group_persons``: where bars would be of fewer,
they are made wider, or there is none. Tables without participants have no distribution.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from consonance.release.parameters import small_group

SCHEMAS = ("marts", "audit")
NUMBER = re.compile(r"(?:TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|FLOAT|DOUBLE|DECIMAL).*")
FEW_VALUES = ("VARCHAR", "BOOLEAN", "SMALLINT", "INTEGER")
# Ids and numbers of rows measure nothing.
NO_MEASURE = re.compile(r"(?:.*_)?(?:id|no)")
# How many bars, from fine to coarse; of words, how many there may be.
BARS, MOST_WORDS = (10, 5, 3, 2), 15
# What is nearer to 0 is drawn as 0.
SMALLEST = 1e-100


@dataclass(frozen=True)
class Bar:
    """A part of a distribution: rows with a word, or with a number from one end to another."""

    name: str
    percent: float


@dataclass(frozen=True)
class Entry:
    """A column.

    Attributes:
        empty: Percent of rows without a value; ``None`` if those with or without one are of few persons, or of nobody.
        bars: The distribution of the other rows; none if it cannot be shown.
    """

    name: str
    type: str
    meaning: str
    empty: float | None
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Described:
    """A table for analysts, with its columns."""

    schema: str
    name: str
    meaning: str
    entries: tuple[Entry, ...]


def codebook(connection: duckdb.DuckDBPyConnection) -> list[Described]:
    """Every table of the marts and of ``audit``.

    Args:
        connection: The desk is the database in use.
    """
    tables = connection.execute(
        """
        select schema_name, table_name, coalesce(comment, '') from duckdb_tables()
        where database_name = current_database() and list_contains($schemas, schema_name)
        order by schema_name desc, table_name
        """,
        {"schemas": SCHEMAS},
    ).fetchall()
    return [
        Described(
            schema,
            table,
            meaning,
            tuple(entries(connection, f'"{schema}"."{table}"', _meanings(connection, schema, table))),
        )
        for schema, table, meaning in tables
    ]


def _meanings(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    found = connection.execute(
        """
        select column_name, coalesce(comment, '') from duckdb_columns()
        where database_name = current_database() and schema_name = $schema and table_name = $table
        """,
        {"schema": schema, "table": table},
    )
    return dict(found.fetchall())


def entries(
    connection: duckdb.DuckDBPyConnection, place: str, meanings: Mapping[str, str] | None = None
) -> list[Entry]:
    """The columns of ``place``: a table, or a query in brackets.

    Args:
        connection: The desk is the database in use.
        place: As SQL.
        meanings: Of its columns.
    """
    meanings = meanings or {}
    columns = [(name, type_) for name, type_, *_ in connection.execute(f"describe from {place}").fetchall()]
    if "participant_id" not in [name for name, _ in columns]:
        return [Entry(name, type_, meanings.get(name, ""), None, ()) for name, type_ in columns]
    empty = _empty(connection, place, [name for name, _ in columns])
    return [
        Entry(name, type_, meanings.get(name, ""), empty[name], _distribution(connection, place, name, type_))
        for name, type_ in columns
    ]


def _empty(connection: duckdb.DuckDBPyConnection, place: str, names: Sequence[str]) -> dict[str, float | None]:
    """Percent of rows without a value, by column; ``None`` where those with or those without are of few persons."""
    counts = ", ".join(
        f"count({column}), count(distinct participant_id) filter (where {column} is null), "
        f"count(distinct participant_id) filter (where {column} is not null)"
        for column in (f'"{name}"' for name in names)
    )
    found = connection.execute(f"select count(*), {counts} from {place}").fetchone() or ()
    rows, empty = found[0], {}
    for number, name in enumerate(names):
        there, without, having = found[1 + 3 * number : 4 + 3 * number]
        few = any(0 < persons <= small_group() for persons in (without, having))
        empty[name] = None if few or not rows else 100 * (rows - there) / rows
    return empty


def _distribution(connection: duckdb.DuckDBPyConnection, place: str, name: str, type_: str) -> tuple[Bar, ...]:
    if NO_MEASURE.fullmatch(name):
        return ()
    if type_ in FEW_VALUES and (bars := _words(connection, place, name)):
        return bars
    return _numbers(connection, place, name) if NUMBER.fullmatch(type_) else ()


def _words(connection: duckdb.DuckDBPyConnection, place: str, name: str) -> tuple[Bar, ...]:
    """Rows by word; words of few persons are put together, with one more if these are still few."""
    column = f'"{name}"'
    counted = connection.execute(
        f"""
        select cast({column} as varchar), count(*), count(distinct participant_id) as persons
        from {place} where {column} is not null
        group by {column}
        order by persons desc, {column}
        limit {MOST_WORDS + 1}
        """
    ).fetchall()
    if not counted or len(counted) > MOST_WORDS:
        return ()
    shown = sum(persons > small_group() for _, _, persons in counted)
    while True:
        others = [word for word, *_ in counted[shown:]]
        if not others or _persons_of(connection, place, column, others) > small_group():
            break
        if not shown:
            return ()
        shown -= 1
    rows = sum(count for _, count, _ in counted)
    bars = [Bar(word, 100 * count / rows) for word, count, _ in counted[:shown]]
    if others:
        bars.append(Bar("other", 100 * sum(count for _, count, _ in counted[shown:]) / rows))
    return tuple(bars)


def _persons_of(connection: duckdb.DuckDBPyConnection, place: str, column: str, words: Sequence[str]) -> int:
    found = connection.execute(
        f"select count(distinct participant_id) from {place} where list_contains($words, cast({column} as varchar))",
        {"words": list(words)},
    ).fetchone()
    return int(found[0]) if found else 0


def _numbers(connection: duckdb.DuckDBPyConnection, place: str, name: str) -> tuple[Bar, ...]:
    """Rows by ranges of equal width. The outermost are open: the smallest and the largest number are of one person."""
    column = f'cast("{name}" as double)'
    found = connection.execute(
        f"select quantile_cont({column}, [0.05, 0.95]) from {place} where isfinite({column})"
    ).fetchone()
    if not found or found[0] is None:
        return ()
    low, high = _rounded(found[0][0], math.floor), _rounded(found[0][1], math.ceil)
    if low >= high:
        return ()
    for bars in BARS:
        counted = connection.execute(
            f"""
            select least({bars - 1}, greatest(0, cast(floor(({column} - $low) / ($high - $low) * {bars}) as integer))) as bar,
                count(*), count(distinct participant_id)
            from {place} where isfinite({column})
            group by bar order by bar
            """,
            {"low": low, "high": high},
        ).fetchall()
        if all(persons > small_group() for *_, persons in counted):
            rows, width = sum(count for _, count, _ in counted), (high - low) / bars
            share = {bar: 100 * count / rows for bar, count, _ in counted}
            return tuple(
                Bar(_range(low + bar * width, low + (bar + 1) * width, bar == 0, bar == bars - 1), share.get(bar, 0.0))
                for bar in range(bars)
            )
    return ()


def _rounded(value: float, towards: Callable[[float], int]) -> float:
    """To two significant digits, up or down."""
    if abs(value) < SMALLEST:
        return 0.0
    digits = 10.0 ** (math.floor(math.log10(abs(value))) - 1)
    return round(towards(value / digits) * digits, 12)


def _range(low: float, high: float, is_first: bool, is_last: bool) -> str:
    if is_first:
        return f"below {high:,.6g}"
    return f"{low:,.6g} and above" if is_last else f"{low:,.6g} to {high:,.6g}"
