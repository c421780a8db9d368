"""Which recording of the catalogue a song is, by its names, for a list of songs beside any study."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from consonance.study.errors import ConsonanceError
from loaders.side_files import ROWS, NotRead, read_side_table
from loaders.track_names import with_track_names

COLUMNS = ("query_id", "artist", "title", "album", "duration_ms")
NEEDED = COLUMNS[:3]
# The dbt variable match_threshold is the same.
THRESHOLD = 0.75

ASKED = """
    create or replace temp table asked_songs as
    {{ with_name_keys("(select *, 'musicbrainz_canonical' as source_id from song_names) as named", 'asked_id, source_id, length_ms', 'artist', 'title', 'album') }}
"""
MATCHED = """
    with {{ likely_recordings('asked_songs', 'catalogue.music.recordings') }}

    select
        song_names.query_id,
        matches.named_id,
        matches.method,
        matches.confidence,
        matches.equals
    from song_names
    left join (
        {{ matched_by_names('asked_songs', recordings_as_named('likely_recordings')) }}
    ) as matches on matches.asked_id = song_names.asked_id and matches.confidence >= $threshold
    order by song_names.asked_id
"""


class BadNames(ConsonanceError):
    """A list of songs cannot be read."""


class NoRecordings(ConsonanceError):
    """The catalogue has no recordings yet."""


@dataclass(frozen=True)
class Match:
    """One song of the list, and the recording it is; ``None`` throughout if none was found.

    Attributes:
        query_id: As the list has it.
        recording_mbid: MusicBrainz' id of the recording.
        method: See docs/matching.md.
        confidence: 0 to 1; see docs/matching.md.
        equals: How many recordings fit equally well; one of them is named.
    """

    query_id: str
    recording_mbid: str | None
    method: str | None
    confidence: float | None
    equals: int | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def match_names(connection: duckdb.DuckDBPyConnection, path: Path, threshold: float = THRESHOLD) -> list[Match]:
    """Match the songs of a CSV with ``query_id,artist,title`` and, if known, ``album,duration_ms``.

    Args:
        connection: With the catalogue attached as ``catalogue``.
        path: The list.
        threshold: What is less sure is no match.

    Returns:
        One match for each line, in the order of the list.

    Raises:
        BadNames: the list cannot be read, or lacks a column.
        NoRecordings: the catalogue has none.
    """
    if not connection.execute("select 1 from catalogue.music.recordings limit 1").fetchall():
        raise NoRecordings(
            "The catalogue has no recordings.",
            "Add MusicBrainz' canonical data: 'consonance catalog add musicbrainz_canonical FILE'.",
        )
    _read(connection, path)
    connection.execute(with_track_names(ASKED))
    return [
        Match(query_id, mbid and str(mbid), method, confidence and float(confidence), equals)
        for query_id, mbid, method, confidence, equals in connection.execute(
            with_track_names(MATCHED), {"threshold": threshold}
        ).fetchall()
    ]


def _read(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Read the list into ``song_names``, a row a song."""
    remedy = f"Name a CSV in UTF-8 with the columns {', '.join(COLUMNS)}; the last two may be missing."
    try:
        table = read_side_table(connection, path.read_bytes())
        columns = {name: table.column(name) for name in COLUMNS}
    except OSError:
        raise BadNames(f"{path} cannot be read.", remedy) from None
    except NotRead as error:
        raise BadNames(f"{path} cannot be used. {error.what}", remedy) from None
    if table.bad_lines:
        raise BadNames(f"{path} is no well-formed CSV: {table.bad_lines} of its lines cannot be read.", remedy)
    if missing := [name for name in NEEDED if columns[name] is None]:
        raise BadNames(f"{path} has no column {missing[0]}.", remedy)
    connection.execute(
        f"""
        create or replace temp table song_names as
        select
            line as asked_id,
            {columns["query_id"]} as query_id,
            coalesce({columns["artist"]}, '') as artist,
            coalesce({columns["title"]}, '') as title,
            coalesce({columns["album"] or "null"}, '') as album,
            try_cast(try_cast({columns["duration_ms"] or "null"} as double) as bigint) as length_ms
        from {ROWS}
        """
    )
