"""Whether the columns of a release are what the list of the tier calls them: numbers, totals of a person, facts of a track.

These kinds may have the same values in every release, so nothing else may go by their name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import duckdb

from consonance.release.columns import INTEGERS, Column, has_persons, kind_of

# Nothing that is counted or measured is larger: a hash of 64 bits nearly always is.
LARGEST_NUMBER = 1e15
# A number that is the same in so many records of a person, and another one for nearly every person, is a key.
RECORDS = 3
PERSONS = 8
NEARLY_ALL = 0.9
TRACK = ("track_id", "playing_track_id")
# How each total of a person is counted from the plays in the release.
TOTALS = {
    "marts.participants.plays": "count(*)",
    "marts.participants.counted_plays": "count(*) filter (where is_counted)",
    "marts.participants.sessions": "count(distinct session_id)",
    "marts.participants.tracks": "count(distinct track_id)",
    "marts.participants.ms_played": "sum(ms_played)",
    "marts.feature_coverage_of_participants.plays": "count(*) filter (where content_type = 'track')",
    "marts.feature_coverage_of_participants.counted_plays": (
        "count(*) filter (where content_type = 'track' and is_counted)"
    ),
}


def not_of_their_kind(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> Iterator[str]:
    """What is wrong with columns of the release, which is attached as ``research``."""
    yield from _no_numbers(connection, columns)
    yield from _no_totals(connection, columns)
    yield from _no_facts(connection, columns)


def is_of_persons(connection: duckdb.DuckDBPyConnection, column: Column, columns: Sequence[Column]) -> bool:
    """Whether a row of the column's table is a person, so that a number in it may be a key."""
    if column.table == "marts.participants":
        return True
    has_times = any(other.table == column.table and kind_of(other) == "times" for other in columns)
    if has_times or not has_persons(column, columns):
        return False
    ((rows, persons),) = connection.execute(
        f"select count(*), count(distinct participant_id) from research.{column.table}"
    ).fetchall()
    return bool(rows == persons)


def _no_numbers(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> Iterator[str]:
    """The columns that the list calls numbers, and that are none."""
    numbers = [column for column in columns if kind_of(column) in ("numbers", "totals")]
    for column in numbers:
        if column.type not in (*INTEGERS, "DOUBLE", "FLOAT") and not column.type.startswith("DECIMAL"):
            yield f"{column.place} is on the list as a number, and is of the type {column.type}"
    for table in dict.fromkeys(column.table for column in numbers if has_persons(column, columns)):
        of_table = [column for column in columns if column.table == table]
        records = [column.sql for column in of_table if kind_of(column) == "ids" and column.name != "participant_id"]
        yield from _hashes_and_keys(
            connection, table, [column for column in numbers if column.table == table], (records or ["rowid"])[0]
        )


def _hashes_and_keys(
    connection: duckdb.DuckDBPyConnection, table: str, numbers: Sequence[Column], record: str
) -> Iterator[str]:
    """The numbers of a table with persons that are too large, or one and the same in all records of each person."""
    ends = [
        f"min(try_cast({column.sql} as double)) as low_{at}, max(try_cast({column.sql} as double)) as high_{at}"
        for at, column in enumerate(numbers)
    ]
    measured = [
        f"""
        max(greatest(abs(low_{at}), abs(high_{at}))),
        coalesce(bool_and(low_{at} = high_{at}) filter (where records >= {RECORDS}), false),
        count(distinct low_{at}) filter (where records >= {RECORDS})
        """
        for at in range(len(numbers))
    ]
    ((persons, *figures),) = connection.execute(
        f"""
        select count(*) filter (where records >= {RECORDS}), {", ".join(measured)}
        from (select count(distinct {record}) as records, {", ".join(ends)} from research.{table} group by participant_id)
        """
    ).fetchall()
    for column, largest, is_constant, values in zip(numbers, figures[::3], figures[1::3], figures[2::3], strict=True):
        if (largest or 0) > LARGEST_NUMBER:
            yield f"{column.place} is on the list as a number, and has values like those of a hash"
        elif kind_of(column) == "numbers" and is_constant and values >= max(PERSONS, NEARLY_ALL * persons):
            yield f"{column.place} is on the list as a number, and is one and the same for each person: it is a key"


def _no_totals(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> Iterator[str]:
    """The columns that the list calls totals, and that are not what the plays in the release add up to."""
    for column in columns:
        if kind_of(column) != "totals":
            continue
        if column.place not in TOTALS:
            yield f"{column.place} is on the list as a total, and consonance/release/kinds.py does not count it"
            continue
        ((others,),) = connection.execute(
            f"""
            select count(*)
            from research.{column.table} as listed
            left join (select participant_id, {TOTALS[column.place]} as total from research.marts.plays group by participant_id) as counted
                on counted.participant_id = listed.participant_id
            where listed.{column.sql} is distinct from coalesce(counted.total, 0)
            """
        ).fetchall()
        if others:
            yield f"{column.place} is on the list as a total, and {others} rows are not what the person's plays add up to"


def _no_facts(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> Iterator[str]:
    """The columns beside persons that the list calls facts, and that are not those of the row's track."""
    of_tracks = {column.name for column in columns if column.table == "marts.tracks"}
    for column in columns:
        if kind_of(column) != "facts" or not has_persons(column, columns):
            continue
        names = {other.name for other in columns if other.table == column.table}
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
