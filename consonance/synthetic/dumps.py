"""What MusicBrainz and AcousticBrainz publish, of invented music: the dumps in their true layouts and names.

The music is that of ``world.sql``, which the people of a synthetic study hear, among other music. Some of it is missing,
of rarely heard music more; names are spelled in other ways; some recordings were merged after they were analysed.
"""

from __future__ import annotations

import io
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from backports import zstd

from consonance.synthetic.statements import run

CANONICAL = "musicbrainz-canonical-dump-20260703-080003"
FEATURES = "acousticbrainz-lowlevel-features-20220623"
HIGHLEVEL = "acousticbrainz-highlevel-json-20220623"
TRACKS_AN_ARTIST = 8
# The table in each archive, by its place there: a view of dumps.sql.
TABLES = {
    "canonical_musicbrainz_data": f"{CANONICAL}/canonical/canonical_musicbrainz_data.csv",
    "canonical_recording_redirect": f"{CANONICAL}/canonical/canonical_recording_redirect.csv",
    "rhythm": f"{FEATURES}/{FEATURES}-rhythm.csv",
    "tonal": f"{FEATURES}/{FEATURES}-tonal.csv",
    "lowlevel": f"{FEATURES}/{FEATURES}-lowlevel.csv",
}


def make_music(connection: duckdb.DuckDBPyConnection, seed: int, tracks: int) -> None:
    """Make the music that the people of a study hear: the tables of ``world.sql``, with ``tracks`` tracks."""
    run(connection, "world.sql", seed=seed, artists=tracks // TRACKS_AN_ARTIST, tracks=tracks)


def know_recordings(
    connection: duckdb.DuckDBPyConnection, seed: int, tracks: int, recordings: int, submissions: int
) -> None:
    """Make what is known of the music: ``known_recordings``, ``known_submissions``, and a view for each file.

    Args:
        connection: Has the music, made with the same ``seed`` and ``tracks``.
        seed: Of the music.
        tracks: How many the people of the study hear.
        recordings: How many MusicBrainz has, those of other music among them.
        submissions: How many AcousticBrainz has of them.
    """
    counts = {"artists": tracks // TRACKS_AN_ARTIST, "recordings": recordings, "submissions": submissions}
    run(connection, "dumps.sql", seed=seed, tracks=tracks, **counts)


def write_table(connection: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Write one of ``TABLES`` as CSV. The same music gives the same bytes."""
    connection.execute(f"copy (from {table}) to '{path}' (header)")


def write_dumps(connection: duckdb.DuckDBPyConnection, folder: Path) -> dict[str, list[Path]]:
    """Write every dump into ``folder``, packed as it is published.

    Returns:
        The files by the id of their source in ``seeds/feature_sources.csv``.
    """
    folder.mkdir(parents=True, exist_ok=True)
    canonical = folder / f"{CANONICAL}.tar.zst"
    features = {table: folder / f"{FEATURES}-{table}.tar.zst" for table in ("rhythm", "tonal", "lowlevel")}
    highlevel = folder / f"{HIGHLEVEL}-0.tar.zst"
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        written = {table: Path(scratch) / Path(place).name for table, place in TABLES.items()}
        for table, path in written.items():
            write_table(connection, table, path)
        pack_tables(canonical, written, ["canonical_musicbrainz_data", "canonical_recording_redirect"])
        for table, path in features.items():
            pack_tables(path, written, [table])
    with _archive(highlevel) as archive:
        for name, document in connection.execute("from highlevel").fetchall():
            _add(archive, f"{HIGHLEVEL}/{name}", document.encode())
    return {
        "musicbrainz_canonical": [canonical],
        "musicbrainz_redirects": [canonical],
        "acousticbrainz_lowlevel": list(features.values()),
        "acousticbrainz_highlevel": [highlevel],
    }


def pack_tables(target: Path, written: dict[str, Path], tables: list[str]) -> None:
    """Pack tables of ``TABLES``, written as ``written`` says, into one ``.tar.zst``."""
    with _archive(target) as archive:
        for table in tables:
            entry = tarfile.TarInfo(TABLES[table])
            entry.size = written[table].stat().st_size
            with written[table].open("rb") as content:
                archive.addfile(entry, content)


@contextmanager
def _archive(target: Path) -> Iterator[tarfile.TarFile]:
    """A ``.tar.zst`` to be written, which has the licence already."""
    with zstd.open(target, "wb", level=3) as packed, tarfile.open(fileobj=packed, mode="w|") as archive:
        _add(archive, f"{target.name.split('.')[0]}/COPYING", b"CC0 1.0 Universal. The music is invented.\n")
        yield archive


def _add(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    archive.addfile(entry, io.BytesIO(content))
