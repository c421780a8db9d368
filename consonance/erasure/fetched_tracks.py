"""What a feature source said over the network about tracks that only the erased participants had heard.

The row of such a track in ``raw.fetched_tracks`` would show that somebody heard it. It is deleted with their plays.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from consonance.consent.rules import with_rules

TABLES = ("fetched_tracks", "fetched_values")
# One row is one participant and one track that they heard, as the last run of dbt judged their plays.
HEARD = """
    select distinct plays.participant_no, {{ track_id_of('plays.content_uri') }} as spotify_id
    from vault.intermediate.int_play_fates as plays
    where {{ is_openly_heard('plays') }}
"""


def forget_unheard(connection: duckdb.DuckDBPyConnection, numbers: Sequence[int]) -> int:
    """Delete what was fetched about tracks of which no play is kept but those of ``numbers``.

    What was still to be fetched is deleted too: the next fetch plans it anew.

    Args:
        connection: With the vault attached for writing, as the last run of dbt left its models.
        numbers: Participants whose history is erased, by number.

    Returns:
        How many tracks.
    """
    connection.execute("delete from vault.raw.tracks_to_fetch")
    if not _is_anything_fetched(connection):
        return 0
    _find_heard(connection)
    deleted = [
        connection.execute(
            f"""
            delete from vault.raw.{table}
            where spotify_id not in (
                select spotify_id from heard_tracks where not list_contains($numbers, participant_no)
            )
            """,
            {"numbers": list(numbers)},
        ).fetchall()[0][0]
        for table in TABLES
    ]
    return int(deleted[0])


def count_theirs(connection: duckdb.DuckDBPyConnection, numbers: Sequence[int]) -> dict[str, int]:
    """How many rows about tracks that only the participants ``numbers`` heard each table has, if it has any."""
    if not _is_anything_fetched(connection):
        return {}
    _find_heard(connection)
    counts = {}
    for table in TABLES:
        ((rows,),) = connection.execute(
            f"""
            select count(*)
            from vault.raw.{table}
            where
                spotify_id in (select spotify_id from heard_tracks where list_contains($numbers, participant_no))
                and spotify_id not in (
                    select spotify_id from heard_tracks where not list_contains($numbers, participant_no)
                )
            """,
            {"numbers": list(numbers)},
        ).fetchall()
        if rows:
            counts[f"raw.{table}"] = int(rows)
    return counts


def _is_anything_fetched(connection: duckdb.DuckDBPyConnection) -> bool:
    return bool(connection.execute("select 1 from vault.raw.fetched_tracks limit 1").fetchall())


def _find_heard(connection: duckdb.DuckDBPyConnection) -> None:
    """Make the temporary table ``heard_tracks``; it is empty in a vault that dbt has not read yet."""
    is_built = connection.execute(
        "select 1 from duckdb_columns() where database_name = 'vault' and table_name = 'int_play_fates' limit 1"
    ).fetchall()
    nothing = "select cast(null as integer) as participant_no, cast(null as varchar) as spotify_id limit 0"
    connection.execute(f"create or replace temp table heard_tracks as {with_rules(HEARD) if is_built else nothing}")
