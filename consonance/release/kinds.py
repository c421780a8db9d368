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
# So many rows have running numbers in no column by chance.
ROWS = 20
NEARLY_ALL = 0.9
TRACK = ("track_id", "playing_track_id")
# A row with one of these is a play, a session, a report or a prompt. Without them and without times it is a person, or
# something of a person's that is counted: such a number is the same in every release.
RECORD_IDS = {"play_id", "session_id", "report_id", "prompt_id"}
# How each total of a person is counted from the plays in the release.
TOTALS = {
    "marts.participants.plays": "count(*)",
    "marts.participants.counted_plays": "count(*) filter (where is_counted)",
    "marts.participants.sessions": "count(distinct session_id)",
    "marts.participants.tracks": "count(distinct track_id)",
    "marts.participants.ms_played": "sum(ms_played)",
    "marts.feature_coverage_of_participants.plays": "count(*)",
    "marts.feature_coverage_of_participants.counted_plays": "count(*) filter (where is_counted)",
    "marts.feature_coverage_of_participants.covered_plays": "count(*) filter (where is_covered)",
    "marts.feature_coverage_of_participants.covered_counted_plays": "count(*) filter (where is_covered and is_counted)",
    "marts.feature_coverage_of_participants.share_of_plays": "count(*) filter (where is_covered) / count(*)",
}
# What the totals of a table are counted of, and by which columns of the table.
PLAYS = ("participant_id",), "select * from research.marts.plays"
COUNTED_OF = {
    "marts.feature_coverage_of_participants": (
        ("participant_id", "feature"),
        """
        select plays.participant_id, plays.is_counted, features.feature, known.feature is not null as is_covered
        from research.marts.plays as plays
        cross join (select distinct feature from research.marts.feature_coverage_of_participants) as features
        left join known on known.track_id = plays.track_id and known.feature = features.feature
        where plays.content_type = 'track'
        """,
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
        if kind_of(column) == "numbers" and _counts_persons(column, columns):
            yield f"{column.place} is a number of a person, which recurs in every release: count it from the plays (totals)"
        if column.type not in (*INTEGERS, "DOUBLE", "FLOAT") and not column.type.startswith("DECIMAL"):
            yield f"{column.place} is on the list as a number, and is of the type {column.type}"
    for table in dict.fromkeys(column.table for column in numbers if has_persons(column, columns)):
        of_table = [column for column in columns if column.table == table]
        records = [column.sql for column in of_table if kind_of(column) == "ids" and column.name != "participant_id"]
        of_numbers = [column for column in numbers if column.table == table]
        yield from _hashes_and_keys(connection, table, of_numbers, (records or ["rowid"])[0])
        yield from _numbers_of_rows(connection, table, of_numbers)


def _counts_persons(column: Column, columns: Sequence[Column]) -> bool:
    """Whether the column is in a table of persons in which no row is a record with an id or a time of its own."""
    of_table = [other for other in columns if other.table == column.table]
    has_records = any(other.name in RECORD_IDS or kind_of(other) == "times" for other in of_table)
    return has_persons(column, columns) and not has_records


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


def _numbers_of_rows(connection: duckdb.DuckDBPyConnection, table: str, numbers: Sequence[Column]) -> Iterator[str]:
    """The whole numbers that count the rows of all persons: each row has another one, and none is left out."""
    whole = [column for column in numbers if column.type in INTEGERS]
    measured = ", ".join(
        f"count(distinct {column.sql}) = count(*) and max({column.sql}) - min({column.sql}) + 1 = count(*)"
        for column in whole
    )
    if whole:
        ((rows, *are_running),) = connection.execute(f"select count(*), {measured} from research.{table}").fetchall()
        for column, is_running in zip(whole, are_running, strict=True):
            if rows >= ROWS and is_running:
                yield f"{column.place} is on the list as a number, and numbers the rows: it is a key"


def _no_totals(connection: duckdb.DuckDBPyConnection, columns: Sequence[Column]) -> Iterator[str]:
    """The columns that the list calls totals, and that are not what the plays in the release add up to."""
    totals = [column for column in columns if kind_of(column) == "totals"]
    yield from (
        f"{column.place} is on the list as a total, and consonance/release/kinds.py does not count it"
        for column in totals
        if column.place not in TOTALS
    )
    for table in dict.fromkeys(column.table for column in totals):
        counted = [column for column in totals if column.table == table and column.place in TOTALS]
        differing = _other_than_counted(connection, table, counted, columns) if counted else ()
        for column, others in zip(counted, differing, strict=True):
            if others:
                yield f"{column.place} is on the list as a total, and {others} rows are not what the person's plays add up to"


def _other_than_counted(
    connection: duckdb.DuckDBPyConnection, table: str, totals: Sequence[Column], columns: Sequence[Column]
) -> tuple[int, ...]:
    """For each total of a table, how many rows have another value than the plays add up to."""
    keys, of = COUNTED_OF.get(table, PLAYS)
    by = ", ".join(keys)
    sums = [f"{TOTALS[column.place]} as total_{at}" for at, column in enumerate(totals)]
    differing = [
        f"count(*) filter (where listed.{column.sql} is distinct from coalesce(total_{at}, 0))"
        for at, column in enumerate(totals)
    ]
    (counts,) = connection.execute(
        f"""
        with known as ({_known_values(columns)})
        select {", ".join(differing)}
        from research.{table} as listed
        left join (select {by}, {", ".join(sums)} from ({of}) group by {by}) as counted using ({by})
        """
    ).fetchall()
    return counts


def _known_values(columns: Sequence[Column]) -> str:
    """SQL: each track and feature of the release that has a value. A column with its source beside it is a feature."""
    names = {column.name for column in columns if column.table == "marts.tracks"}
    features = sorted(name for name in names if f"{name}_source" in names and name != "duration_ms")
    values = ", ".join(f"cast({name} as double) as {name}" for name in features)
    if not features:
        return "select null as track_id, null as feature where false"
    return f"""
        select track_id, feature
        from (unpivot (select track_id, {values} from research.marts.tracks) on {", ".join(features)} into name feature value number)
    """


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
