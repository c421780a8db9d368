"""Open dumps of music facts, read from where they were downloaded into the catalogue. No persons."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import duckdb

from consonance.study.files import sha256_of
from loaders.dump_documents import PARTS, is_document, land_documents, last_rows, new_submissions
from loaders.dump_tables import (
    LAYOUTS,
    Layout,
    drop_rejected,
    drop_repeated,
    header_of,
    land_table,
    layout_of,
    quote_of,
)
from loaders.streams import HEAD, NoTable, ahead, chunks, members, unpacking

SOURCES = tuple(dict.fromkeys([layout.source_id for layout in LAYOUTS] + [part.source_id for part in PARTS]))
# So many bytes of documents are handed to DuckDB at once.
BATCH = 16 << 20
LARGEST_DOCUMENT = 16 << 20
WHERE = "Name the file as it was downloaded: docs/features.md says from where."


@dataclass(frozen=True)
class Table:
    """A table of the source: its lines are read while it lands. Then ``is_read`` must be set: the next file follows."""

    layout: Layout
    header: list[str]
    quote: str
    content: Iterator[bytes]
    is_read: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Documents:
    """JSON documents: names and texts, and how many more were too large to be read."""

    named: list[tuple[str, str]]
    too_large: int = 0


@dataclass(frozen=True)
class Other:
    """A file that has nothing of the source."""

    name: str
    header: list[str]


@dataclass(frozen=True)
class DumpReport:
    """What was read of a dump: ``rows_in = landed + rejected``, which is counted by reason.

    ``is_new`` is false if it was loaded before, at ``loaded_at`` (UTC); then nothing was read.
    """

    file: str
    sha256: str
    rows_in: int
    landed: int
    rejected: dict[str, int]
    is_new: bool
    loaded_at: str = ""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Progress:
    """Receives the progress of a dump that is read; the command line shows it."""

    def read(self, size: int) -> None:
        """So many more bytes of the file, as it is packed, were read. Called from another thread."""

    def landed(self, rows: int) -> None:
        """So many rows were read so far."""


def add_dump(
    connection: duckdb.DuckDBPyConnection, source_id: str, path: Path, progress: Progress | None = None
) -> DumpReport:
    """Land what a dump has of ``source_id``; nothing happens if it was landed already.

    All of it lands, or nothing: what was interrupted is read again from its beginning. Dumps of MusicBrainz replace the
    one before. Dumps of AcousticBrainz are added to those that are there: a submission that is there is not landed again.

    Args:
        connection: With the catalogue attached for writing.
        source_id: One of ``SOURCES``.
        path: As it was downloaded, its table or documents alone, or a folder of documents; packed or not.
        progress: Receives the progress.

    Raises:
        NoTable: it cannot be read, or has nothing of this source; the catalogue is as it was.
    """
    progress = progress or Progress()
    if not path.exists():
        raise NoTable(f"{path} does not exist.", "Name the file as it was downloaded.")
    sha256 = _digest(path)
    known = connection.execute(
        "select report from catalogue.music.dumps where source_id = $source and sha256 = $sha256",
        {"source": source_id, "sha256": sha256},
    ).fetchall()
    if known:
        return DumpReport(**json.loads(known[0][0]) | {"is_new": False})
    connection.begin()
    try:
        moment = datetime.now(UTC).replace(tzinfo=None, microsecond=0)
        report = replace(_land(connection, source_id, path, sha256, progress), loaded_at=moment.isoformat())
        connection.execute(
            "insert into catalogue.music.dumps values (?, ?, ?, ?)",
            [source_id, sha256, moment, json.dumps(report.as_json())],
        )
        connection.commit()
    except BaseException:
        connection.rollback()
        raise
    return report


def _land(
    connection: duckdb.DuckDBPyConnection, source_id: str, path: Path, sha256: str, progress: Progress
) -> DumpReport:
    layouts = [layout for layout in LAYOUTS if layout.source_id == source_id]
    if any(layout.is_whole for layout in layouts):
        _forget(connection, source_id)
    rejected: Counter[str] = Counter()
    landed, touched = 0, set()
    before, has_documents = last_rows(connection, source_id), False
    others: dict[str, list[str]] = {}
    for item in ahead(_items(source_id, path, progress)):
        match item:
            case Table(layout, header, quote, content, is_read):
                try:
                    landed += land_table(connection, layout, header, quote, content, rejected)
                finally:
                    is_read.set()
                touched.add((layout.table, layout.key, layout.best))
            case Documents(named, too_large):
                has_documents = True
                rejected["too_large"] += too_large
                landed += land_documents(connection, source_id, named, rejected) if named else 0
                touched |= {(part.table, part.key, "rowid") for part in PARTS if part.source_id == source_id}
            case Other(name, header):
                others[name] = header
        progress.landed(landed + rejected.total())
    if not touched:
        raise _nothing_of(source_id, path, others)
    rows_in = landed + rejected.total()
    for layout in layouts:
        dropped = drop_rejected(connection, layout)
        rejected.update(dropped)
        landed -= dropped.total()
    repeated = sum(drop_repeated(connection, *table) for table in sorted(touched))
    if has_documents:  # Each lands in several tables, and is one row of the dump.
        repeated = landed - new_submissions(connection, before)
    rejected["repeated_submission" if source_id.startswith("acousticbrainz") else "repeated_recording"] += repeated
    if not landed:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in (+rejected).items())
        other = next((part.source_id for part in PARTS if part.source_id != source_id and rejected["no_value"]), None)
        remedy = f"If it is of {other}, use 'consonance catalog add {other} {path}'." if other else WHERE
        raise NoTable(f"{path} cannot be used: none of its {rows_in:,} rows can be read ({reasons}).", remedy)
    return DumpReport(path.name, sha256, rows_in, landed - repeated, dict(+rejected), True)


def _forget(connection: duckdb.DuckDBPyConnection, source_id: str) -> None:
    for layout in LAYOUTS:
        if layout.source_id == source_id:
            connection.execute(f"delete from catalogue.music.{layout.table}")
    connection.execute("delete from catalogue.music.dumps where source_id = $source", {"source": source_id})


def _items(source_id: str, path: Path, progress: Progress) -> Iterator[Table | Documents | Other]:
    """What is read of a dump, in pieces of a size that fits in memory."""
    takes_documents = any(part.source_id == source_id for part in PARTS)
    named: list[tuple[str, str]] = []
    size = 0
    with unpacking(path):
        for name, file in members(path, progress.read):
            head = file.peek(HEAD)
            header = header_of(head)
            layout = layout_of(header)
            if takes_documents and is_document(head):
                content = file.read(LARGEST_DOCUMENT + 1)
                if len(content) > LARGEST_DOCUMENT:
                    yield Documents([], too_large=1)
                    continue
                named.append((name, content.decode("utf-8-sig", "replace")))
                size += len(content)
                if size > BATCH:
                    yield Documents(named)
                    named, size = [], 0
            elif layout is not None and layout.source_id == source_id:
                table = Table(layout, header, quote_of(layout, head), _lines(path, file, name))
                yield table
                table.is_read.wait()
            else:
                yield Other(name, header)
    if named:
        yield Documents(named)


def _lines(path: Path, file: IO[bytes], name: str) -> Iterator[bytes]:
    """The lines of a table in ``path``, whose errors are said as those of ``path``."""
    with unpacking(path):
        yield from chunks(file, name)


def _nothing_of(source_id: str, path: Path, others: dict[str, list[str]]) -> NoTable:
    """Why nothing of a file belongs to a source: it is of another one, or lacks a column."""
    for header in others.values():
        if layout := layout_of(header):
            return NoTable(
                f"{path} has nothing of {source_id}.",
                f"It is a file of {layout.source_id}: use 'consonance catalog add {layout.source_id} {path}'.",
            )
    layouts = [layout for layout in LAYOUTS if layout.source_id == source_id]
    known = "; or ".join(", ".join(layout.required) for layout in layouts)
    remedy = f"Name a table, separated by commas, with the columns {known}." if known else WHERE
    if len(others) == 1 and layouts:
        (header,) = others.values()
        nearest = max(layouts, key=lambda layout: len(set(layout.required) & set(header)))
        missing = next(name for name in nearest.required if name not in header)
        return NoTable(f"{path} has no column {missing}.", remedy)
    return NoTable(f"{path} has nothing of {source_id}.", remedy)


def _digest(path: Path) -> str:
    """The SHA-256 of a file; of a folder, that of the names and digests of its files."""
    if path.is_file():
        return sha256_of(path)
    lines = [
        f"{one.relative_to(path).as_posix()} {sha256_of(one)}\n" for one in sorted(path.rglob("*")) if one.is_file()
    ]
    return hashlib.sha256("".join(lines).encode()).hexdigest()
