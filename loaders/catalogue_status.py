"""What the catalogue has: the files of each source, and how many of the study's tracks each covers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import duckdb

FILES = """
    select
        source_id,
        file,
        coalesce((report ->> 'landed')::bigint, 0) as rows,
        loaded_at,
        regexp_extract(read_from, '[0-9a-f]{64}') as sha256
    from catalogue.music.archive_files
    union all
    select source_id, report ->> 'file', (report ->> 'landed')::bigint, loaded_at, sha256 from catalogue.music.dumps
    order by all
"""
# What a source covers: of features, tracks with a value; of names of recordings, tracks with a recording.
COVERED = {
    "feat_track_source_values": "select source_id, count(distinct track_id) from warehouse.features.feat_track_source_values group by source_id",
    "feat_track_recordings": "select 'musicbrainz_canonical', count(*) from warehouse.features.feat_track_recordings where recording_mbid is not null",
}


@dataclass(frozen=True)
class LoadedFile:
    """One file of a source.

    Attributes:
        source_id, file: Of which source, and its name.
        rows: How many rows of it are in the catalogue.
        loaded_at: When it was loaded, in UTC; ``None`` if an earlier version loaded it.
        sha256: Of the file. Empty if it could not be read.
    """

    source_id: str
    file: str
    rows: int
    loaded_at: datetime | None
    sha256: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def loaded_files(connection: duckdb.DuckDBPyConnection) -> list[LoadedFile]:
    """The files that the catalogue was made from, by source."""
    return [LoadedFile(*row) for row in connection.execute(FILES).fetchall()]


def covered_tracks(connection: duckdb.DuckDBPyConnection) -> tuple[int, dict[str, int]]:
    """How many tracks the warehouse has, and how many of them each source covers.

    Args:
        connection: With the warehouse attached as ``warehouse``.
    """
    there = {
        name
        for (name,) in connection.execute(
            "select table_name from duckdb_tables() where database_name = 'warehouse' and schema_name in ('features', 'marts')"
        ).fetchall()
    }
    if "tracks" not in there:
        return 0, {}
    ((tracks,),) = connection.execute(
        "select count(*) from warehouse.marts.tracks where content_type = 'track'"
    ).fetchall()
    return int(tracks), {
        source: int(count)
        for table, statement in COVERED.items()
        if table in there
        for source, count in connection.execute(statement).fetchall()
    }
