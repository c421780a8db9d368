"""MusicBrainz' canonical data: which recordings there are, by the names of their artists and titles. No persons.

Source: https://musicbrainz.org/doc/Canonical_MusicBrainz_data (CC0). Of its ten columns (some dumps have more) five are
read, by their names in the header. ``combined_lookup`` is not: it joins artist and title, and drops most scripts.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from consonance.study.files import sha256_of
from loaders.memory_files import in_memory
from loaders.streams import NoTable, blocks
from loaders.track_names import with_track_names

SOURCE = "musicbrainz_canonical"
MEMBER = "canonical_musicbrainz_data.csv"
READ = ("recording_mbid", "artist_credit_name", "recording_name", "release_name", "score")

STAGED = """
    create or replace temp table staged as
    select
        try_cast({recording_mbid} as uuid) as recording_mbid,
        nullif(trim({artist_credit_name}), '') as artist,
        nullif(trim({recording_name}), '') as title,
        coalesce({release_name}, '') as album,
        coalesce(try_cast({score} as double), 0) as score
    from read_csv(
        '{address}', all_varchar = true, header = true, delim = ',', quote = '"', escape = '"', ignore_errors = true,
        auto_detect = false, columns = {columns}, max_line_size = 16000000, store_rejects = true,
        rejects_table = 'bad_lines', rejects_scan = 'bad_scans'
    )
"""
COUNTS = """
    select
        count(*) as rows,
        count(*) filter (where recording_mbid is null) as no_recording_id,
        count(*) filter (where recording_mbid is not null and artist is null) as no_artist,
        count(*) filter (where recording_mbid is not null and artist is not null and title is null) as no_title
    from staged
"""
KEYED = """
    insert into catalogue.music.recordings by name
    {{ with_name_keys(
        '(select * from staged where recording_mbid is not null and artist is not null and title is not null) as named',
        'recording_mbid, artist, title, album, score', 'artist', 'title', 'album'
    ) }}
"""
# Some dumps name a recording twice, with two releases: the lowest score is the usual one.
REPEATED = """
    delete from catalogue.music.recordings
    where rowid not in (
        select arg_min(rowid, (score, rowid)) from catalogue.music.recordings group by recording_mbid
    )
"""


@dataclass(frozen=True)
class DumpReport:
    """What was read of a dump: ``rows_in = landed + rejected``, which is counted by reason."""

    file: str
    sha256: str
    rows_in: int
    landed: int
    rejected: dict[str, int]
    is_new: bool

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def add_recordings(
    connection: duckdb.DuckDBPyConnection, path: Path, progress: Callable[[int], None] = lambda _: None
) -> DumpReport:
    """Replace what the catalogue knows of recordings by the dump ``path``; nothing happens if it is that dump already.

    Args:
        connection: With the catalogue attached for writing.
        path: The dump as it was downloaded (``.tar.zst``), or its table alone, packed or not.
        progress: Is called with the number of rows read so far.

    Raises:
        NoTable: it cannot be read, or has not the columns of canonical data; the catalogue is as it was.
    """
    sha256 = sha256_of(path)
    known = connection.execute(
        "select report from catalogue.music.dumps where source_id = $source and sha256 = $sha256",
        {"source": SOURCE, "sha256": sha256},
    ).fetchall()
    if known:
        return DumpReport(**json.loads(known[0][0]) | {"is_new": False})
    rejected: Counter[str] = Counter()
    connection.begin()
    try:
        connection.execute("delete from catalogue.music.recordings")
        rows_in = 0
        for block in blocks(path, MEMBER):
            rows_in += _add_block(connection, path, block, rejected)
            progress(rows_in)
        ((repeated,),) = connection.execute(REPEATED).fetchall()
        rejected["repeated_recording"] += int(repeated)
        report = DumpReport(path.name, sha256, rows_in, rows_in - rejected.total(), dict(+rejected), True)
        connection.execute("delete from catalogue.music.dumps where source_id = $source", {"source": SOURCE})
        connection.execute(
            "insert into catalogue.music.dumps values (?, ?, ?, ?)",
            [SOURCE, sha256, datetime.now(UTC).replace(tzinfo=None), json.dumps(report.as_json())],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return report


def _add_block(connection: duckdb.DuckDBPyConnection, path: Path, block: bytes, rejected: Counter[str]) -> int:
    """Land the rows of one block; the number of rows in it."""
    header = next(csv.reader([block[: block.index(b"\n")].decode("utf-8", "replace").strip()]))
    if missing := [name for name in READ[:3] if name not in header]:
        raise NoTable(
            f"{path} has no column {missing[0]}.",
            f"Name a dump of canonical MusicBrainz data that has the columns {', '.join(READ)}.",
        )
    columns = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in header) + "}"
    names = {name: name if name in header else "null" for name in READ}
    with in_memory(block, ".csv") as address:
        connection.execute(STAGED.format(address=address, columns=columns, **names))
    ((lines,),) = connection.execute("select count(distinct line) from bad_lines").fetchall()
    connection.execute("drop table bad_lines; drop table bad_scans")
    found = connection.execute(COUNTS)
    counts = dict(zip([column[0] for column in found.description or []], found.fetchall()[0], strict=True))
    rows = counts.pop("rows") + lines
    rejected.update(counts | {"bad_line": lines})
    connection.execute(with_track_names(KEYED))
    return int(rows)
