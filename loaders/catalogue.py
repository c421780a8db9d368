"""The tables of audio features that a study keeps in ``catalogue/``, into ``catalog.duckdb``. No persons."""

from __future__ import annotations

import filecmp
import json
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import fsspec

from consonance.study.errors import ConsonanceError
from consonance.study.feature_sources import feature_sources, known_sources
from consonance.study.files import replace_file, sha256_of
from consonance.study.folder import Study
from consonance.study.vault import session_settings
from loaders.dumps import SOURCES as DUMP_SOURCES
from loaders.feature_archives import choose_values, land_values, lay_out_rows, read_archive, with_landed
from loaders.load_report import FileReport
from loaders.side_files import (
    PARQUET,
    SAVE_AS_CSV,
    NotRead,
    is_passed_over,
    name_in_reports,
    side_files,
)
from loaders.side_files import SUFFIXES as TEXT_SUFFIXES
from loaders.streams import NoTable, members, unpacking

SUFFIXES = (*TEXT_SUFFIXES, ".parquet")
LARGEST_TABLE = 1 << 30
# So much of a table is read before it is copied into the study, if that gives a value.
TRIED = 8 << 20

# Archives that were read by other rules are read again. To be raised whenever these change.
READING = 5


class BadArchive(ConsonanceError):
    """A feature archive cannot be added."""


def add_archive(study: Study, file: Path, source_id: str) -> Path:
    """Copy ``file`` to where the study keeps archives of ``source_id``, if it can be read; the next load reads it.

    Raises:
        BadArchive: no such file, no licence row for the source, a file of that name is there, or nothing of
            it can be read; nothing is changed then.
    """
    if source_id not in known_sources():
        raise BadArchive(f"There is no feature source with the name {source_id}.", _add_source())
    if not file.is_file():
        raise BadArchive(f"{file} does not exist.", "Name a table.")
    try:
        report = _tried(source_id, table_in(file))
    except NotRead as error:
        raise BadArchive(f"{file} cannot be used. {error.what}", error.remedy) from None
    if not report.landed:
        advice = " ".join(report.advice)
        raise BadArchive(
            f"{file} cannot be used: no row of {report.rows_in:,} gives a value.",
            advice or "Check whether it is empty.",
        )
    target = study.catalogue / source_id / file.name
    if is_passed_over(Path(file.name)):
        raise BadArchive(f"{file} has the name of a file that is never read.", "Give it another name.")
    if target.exists() and not filecmp.cmp(target, file, shallow=False):
        raise BadArchive(
            f"{target} is there already, with other content.",
            "Rename one of the two, or delete the file that is there.",
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        replace_file(target, file.read_bytes())
    return target


def load_catalogue(
    connection: duckdb.DuckDBPyConnection, study: Study, reads: Callable[[str], None] = lambda _: None
) -> list[FileReport]:
    """Load the archives at ``catalogue/<source_id>/``; a source whose files are unchanged stays.

    Within a source each feature of a track is the first value that there is, in order of the files and
    their lines: an empty value hides nothing. A file that cannot be read is left out; it, and what is
    elsewhere in ``catalogue/``, is reported as not read.

    Args:
        connection: With the catalogue attached for writing.
        study: Whose archives to load.
        reads: Is called with the name of each file before it is read.
    """
    reports = []
    sources = known_sources()
    recorded = _recorded(connection)
    found: dict[str, dict[str, Path]] = {}
    for path in side_files(study.catalogue):
        folder, *below = path.relative_to(study.catalogue).parts
        name = name_in_reports(study, path)
        if not below:
            remedy = "Put it into catalogue/<source_id>/, or use 'consonance catalog add'."
            reports.append(FileReport(name, not_read="no_source", advice=[remedy]))
        elif folder not in sources:
            reports.append(FileReport(name, not_read="unknown_source", advice=[_add_source()]))
        elif folder in DUMP_SOURCES:
            remedy = f"Use 'consonance catalog add {folder} FILE', and keep the file elsewhere."
            reports.append(FileReport(name, not_read="no_table_of_features", advice=[remedy]))
        else:
            found.setdefault(folder, {})[name] = path
    for (source_id,) in connection.execute("select distinct source_id from catalogue.music.source_tracks").fetchall():
        if source_id not in found:
            _forget(connection, source_id)
    for source_id, paths in found.items():
        digests = {name: _digest(path) for name, path in paths.items()}
        if digests != recorded.get(source_id, {}):
            _load_source(connection, source_id, paths, digests, reads)
        reports += _reports(connection, source_id)
    return sorted(reports, key=lambda report: report.file)


def _add_source() -> str:
    return f"Known sources are {', '.join(known_sources())}. To use another one, first add a row with its licence to seeds/feature_sources.csv."


def _digest(path: Path) -> str:
    try:
        return f"{READING} {sha256_of(path) if path.is_file() else 'no_file'}"
    except OSError:
        return f"{READING} cannot_be_opened"


def table_in(path: Path) -> bytes:
    """The table in a file, unpacked.

    Raises:
        NotRead: it is no file, cannot be opened or unpacked, or has no table, or more than one.
    """
    if not path.is_file():
        raise NotRead("no_file", "It is a link or a device, not a file.", "Put the file itself there.")
    found = []
    try:
        with unpacking(path):
            for name, file in members(path):
                if Path(name).suffix.lower() in SUFFIXES:
                    found.append(file.read(LARGEST_TABLE + 1))
    except NoTable:
        if not os.access(path, os.R_OK):
            raise NotRead("cannot_be_opened", "It cannot be opened.", "Give yourself the right to read it.") from None
        raise NotRead(
            "cannot_be_unpacked", "It cannot be unpacked.", "Download it again, and compare its size."
        ) from None
    if not found:
        raise NotRead("no_csv", f"Only {', '.join(SUFFIXES)} are read, packed or not.", SAVE_AS_CSV)
    if len(found) > 1:
        raise NotRead("several_tables", "It has several tables.", "Unpack it, and add each of them.")
    if len(found[0]) > LARGEST_TABLE:
        raise NotRead("too_large", f"It has more than {LARGEST_TABLE >> 30} GiB.", "Divide it into several files.")
    return found[0]


def _tried(source_id: str, content: bytes) -> FileReport:
    """What a load of this archive alone would say; if its beginning gives a value, of that alone.

    Raises:
        NotRead: see ``read_archive``.
    """
    head = content[: content.rfind(b"\n", 0, TRIED) + 1]
    if len(content) > TRIED and head and not content.startswith(PARQUET):
        with suppress(NotRead):
            report = _read_alone(source_id, head)
            if report.landed:
                return report
    return _read_alone(source_id, content)


def _read_alone(source_id: str, content: bytes) -> FileReport:
    with duckdb.connect(config=session_settings()) as connection:
        connection.register_filesystem(fsspec.filesystem("memory"))
        lay_out_rows(connection)
        report = read_archive(connection, source_id, feature_sources()[source_id].track_key, "", content, 0)
        choose_values(connection)
        return with_landed(connection, report, 0)


def _recorded(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, str]]:
    recorded: dict[str, dict[str, str]] = {}
    for source_id, file, read_from in connection.execute(
        "select source_id, file, read_from from catalogue.music.archive_files"
    ).fetchall():
        recorded.setdefault(source_id, {})[file] = read_from
    return recorded


def _forget(connection: duckdb.DuckDBPyConnection, source_id: str) -> None:
    for table in ("source_tracks", "source_values", "archive_files"):
        connection.execute(f"delete from catalogue.music.{table} where source_id = ?", [source_id])


def _reports(connection: duckdb.DuckDBPyConnection, source_id: str) -> list[FileReport]:
    rows = connection.execute(
        "select file, report from catalogue.music.archive_files where source_id = ?", [source_id]
    ).fetchall()
    return [FileReport(file, **json.loads(report)) for file, report in rows]


def _load_source(
    connection: duckdb.DuckDBPyConnection,
    source_id: str,
    paths: Mapping[str, Path],
    digests: Mapping[str, str],
    reads: Callable[[str], None],
) -> None:
    """Replace what the catalogue has of one source."""
    loaded_at = datetime.now(UTC).replace(tzinfo=None)
    lay_out_rows(connection)
    reports = []
    track_key = feature_sources()[source_id].track_key
    for file_no, (name, path) in enumerate(paths.items()):
        reads(name)
        try:
            reports.append(read_archive(connection, source_id, track_key, name, table_in(path), file_no))
        except NotRead as error:
            reports.append(FileReport(name, not_read=error.reason, advice=[f"{error.what} {error.remedy}"]))
    choose_values(connection)
    reports = [with_landed(connection, report, file_no) for file_no, report in enumerate(reports)]
    connection.begin()
    try:
        _forget(connection, source_id)
        land_values(connection, source_id)
        connection.executemany(
            "insert into catalogue.music.archive_files (source_id, file, read_from, report, loaded_at) values (?, ?, ?, ?, ?)",
            [
                [source_id, report.file, digests[report.file], json.dumps(report.as_json()), loaded_at]
                for report in reports
            ],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
