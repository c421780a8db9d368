"""The operator's side of an erasure: the donation in the inbox, lines of tables, receipts, what lies about.

What is known by its place is removed. What merely names the participant (notes, copies of stores, files
under other names) is listed: only a person can tell what to do with it.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from loaders.ledger import COLUMNS as LEDGER_COLUMNS
from loaders.tables import dialect_of
from stores.files import replace_file, sync
from stores.study import Study

CODE_COLUMN = LEDGER_COLUMNS[0]
# Larger files are looked at by name alone.
LARGEST_SEARCHED = 64 * 1024 * 1024
STORES = (".duckdb", ".db", ".wal", ".parquet", ".zip", ".gz", ".tar", ".bak")


@dataclass
class Cleared:
    """What was removed, counted; what the operator must look at, by path."""

    donations: int = 0
    donation_bytes: int = 0
    receipts: int = 0
    lines: dict[str, int] = field(default_factory=dict)
    to_do: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "donation_files": self.donations,
            "donation_bytes": self.donation_bytes,
            "receipts": self.receipts,
            "lines_by_table": self.lines,
        }


def clear(study: Study, code: str, name: str) -> Cleared:
    """Remove the participant ``code`` from the operator's files of ``study``.

    In ``consents.csv`` the lines stay, with ``name`` for the code: that somebody consented, and to what,
    must be provable. Lines of ``participants.csv`` and ``surveys/`` go, and so do donations and receipts.
    """
    cleared = Cleared()
    inbox = study.inbox / code
    if inbox.is_symlink():
        inbox.unlink()
        cleared.to_do.append("The inbox folder was a link: delete what it led to.")
    elif inbox.is_dir():
        files = [path for path in inbox.rglob("*") if path.is_file() and not path.is_symlink()]
        cleared.donations, cleared.donation_bytes = len(files), sum(path.stat().st_size for path in files)
        shutil.rmtree(inbox)
        sync(study.inbox)
    for receipt in (study.receipts / f"{code}.html", study.receipts / f"{code}.json"):
        if receipt.exists():
            receipt.unlink()
            cleared.receipts += 1
    tables: list[tuple[Path, str | None]] = [(study.consents_path, name), (study.participants_path, None)]
    tables += [(path, None) for path in sorted(study.surveys.glob("*.csv"))]
    for path, replacement in tables:
        try:
            lines = relabel(path, code, replacement)
        except (UnicodeDecodeError, csv.Error):
            cleared.to_do.append(f"{study.within(path)} is no UTF-8 CSV: take the participant's lines out of it.")
            continue
        if lines:
            cleared.lines[study.within(path)] = lines
    return cleared


def relabel(path: Path, code: str, replacement: str | None) -> int:
    """Give the rows of ``code`` in a CSV the code ``replacement``, or take them out; every other byte stays.

    Returns:
        The number of rows concerned.

    Raises:
        UnicodeDecodeError, csv.Error: the file is no CSV in UTF-8.
    """
    if not path.exists():
        return 0
    content = path.read_bytes()
    text = content.decode("utf-8-sig")
    mark = content[: len(content) - len(text.encode())]
    delimiter, ending = dialect_of(text)
    lines = list(io.StringIO(text))
    reader = csv.reader(iter(lines), delimiter=delimiter)
    kept: list[str] = []
    place: int | None = None
    begun = concerned = 0
    for row in reader:
        chunk = lines[begun : reader.line_num]
        begun = reader.line_num
        cells = [cell.strip() for cell in row]
        if any(cells) and not cells[0].startswith("#"):
            if place is None:
                if CODE_COLUMN not in cells:
                    return 0
                place = cells.index(CODE_COLUMN)
            elif len(cells) > place and cells[place] == code:
                concerned += 1
                if replacement is None:
                    continue
                row[place] = replacement
                line = io.StringIO()
                csv.writer(line, delimiter=delimiter, lineterminator=ending).writerow(row)
                chunk = [line.getvalue()]
        kept += chunk
    if concerned:
        replace_file(path, mark + "".join(kept).encode(), path.stat().st_mode & 0o777)
    return concerned


def still_named(study: Study, names: Sequence[str], known: Sequence[Path]) -> list[Path]:
    """Files of the study folder that name the participant, or are another copy of a store.

    Args:
        study: Where to look.
        names: The code and the user names; short ones count as whole words only.
        known: Files that are searched otherwise, or are meant to be there.
    """
    pattern = re.compile(
        b"|".join(rb"(?<![0-9A-Za-z_-])" + re.escape(name.encode()) + rb"(?![0-9A-Za-z_-])" for name in names),
        re.IGNORECASE,
    )
    return [
        path for path in _files(study.root) if path not in known and (_is_copy(path) or _names(path, pattern))
    ]


def _files(root: Path) -> Iterator[Path]:
    return (path for path in sorted(root.rglob("*")) if path.is_file() and not path.is_symlink())


def _names(path: Path, pattern: re.Pattern[bytes]) -> bool:
    if pattern.search(str(path.name).encode()):
        return True
    return path.stat().st_size <= LARGEST_SEARCHED and pattern.search(path.read_bytes()) is not None


def _is_copy(path: Path) -> bool:
    """Whether it may be another copy of a store or of a donation: DuckDB's mark, or a suffix."""
    if path.suffix.lower() in STORES:
        return True
    with path.open("rb") as file:
        return file.read(12)[8:12] == b"DUCK"
