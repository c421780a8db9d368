"""The study files of an erasure: the donation in the inbox, lines of the operator's tables, receipts, other files.

What is known by its place is removed. What merely names the participant (notes, copies of stores, files
under other names) is listed: only a person can decide what to do with it.
"""

from __future__ import annotations

import csv
import io
import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consonance.consent.ledger_file import COLUMNS as LEDGER_COLUMNS
from consonance.study.files import remove_within, replace_file, sha256_of, sync
from consonance.study.folder import Study
from consonance.study.tables import decoded, dialect_of
from loaders.side_files import side_files

CODE_COLUMN = LEDGER_COLUMNS[0]
# Of larger files only the name is searched.
LARGEST_SEARCHED = 64 * 1024 * 1024
STORES = (".duckdb", ".db", ".wal", ".parquet", ".zip", ".gz", ".tar", ".bak")


@dataclass(frozen=True)
class StudyFiles:
    """What the study files hold of participants, counted.

    Attributes:
        donation_files, donation_bytes: In their folders of the inbox.
        receipts: Files of consent receipts.
        lines: Lines of each table, by its name.
    """

    donation_files: int
    donation_bytes: int
    receipts: int
    lines: dict[str, int]

    @property
    def are_there(self) -> bool:
        return bool(self.donation_files or self.receipts or self.lines)


def find(study: Study, codes: Sequence[str]) -> StudyFiles:
    """Count what the study files hold of the participants ``codes``."""
    donated = [path for code in codes for path in _donated(study, code)]
    lines: Counter[str] = Counter()
    for code in codes:
        for path, _ in _tables(study, ""):
            with suppress(UnicodeDecodeError, csv.Error):
                lines[study.within(path)] += _relabelled(path, code, None)[1]
    return StudyFiles(
        len(donated),
        sum(path.stat().st_size for path in donated),
        sum(path.exists() for code in codes for path in study.receipts_of(code)),
        dict(+lines),
    )


def clear(study: Study, labels: Mapping[str, str]) -> None:
    """Remove participants from the study files.

    In ``consents.csv`` the lines stay, with another name for the code: the study must be able to prove that somebody
    consented, and to what. Lines of ``participants.csv`` and ``surveys/`` go, and so do donations and receipts.

    Args:
        study: Whose files.
        labels: Participant code to the name that takes its place.
    """
    for code, name in labels.items():
        folder = study.donations_of(code)
        if folder.is_dir() and not folder.is_symlink() and remove_within(study.root, folder):
            sync(study.inbox)
        for receipt in study.receipts_of(code):
            remove_within(study.root, receipt)
        for path, becomes in _tables(study, name):
            with suppress(UnicodeDecodeError, csv.Error):
                content, lines = _relabelled(path, code, becomes)
                if lines:
                    replace_file(path, content, path.stat().st_mode & 0o777)


def file_hashes(study: Study) -> dict[str, dict[str, int | str]]:
    """Size in bytes and SHA-256 of the stores and of the operator's tables, by name."""
    tables = [path for path in side_files(study.surveys) if path.is_file()]
    paths = [study.vault_path, study.warehouse_path, study.consents_path, study.participants_path, *tables]
    paths = [path for path in paths if path.exists()]
    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(sha256_of, paths))
    return {
        study.within(path): {"bytes": path.stat().st_size, "sha256": sha256}
        for path, sha256 in zip(paths, hashes, strict=True)
    }


def left_to_do(study: Study, codes: Sequence[str], names: Sequence[str]) -> list[str]:
    """What only a person can clear, one sentence each.

    Args:
        study: Cleared.
        codes: Of the participants who were erased.
        names: Their user names.
    """
    to_do = [
        f"{study.within(path)} is a link out of the study folder, or cannot be deleted: delete it, and what it links to."
        for code in codes
        for path in (study.donations_of(code), *study.receipts_of(code))
        if os.path.lexists(path)
    ]
    for path, _ in _tables(study, ""):
        try:
            _relabelled(path, "", None)
        except (UnicodeDecodeError, csv.Error):
            to_do.append(f"{study.within(path)} cannot be read as CSV: remove the participant's lines from it.")
    to_do += [
        f"{study.within(path)} names the participant, or may be a copy of a store: look at the file, and delete the file or the name in it."
        for path in _still_named(study, [*codes, *names])
    ]
    return to_do


def _donated(study: Study, code: str) -> list[Path]:
    folder = study.donations_of(code)
    if folder.is_symlink():
        return []
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


def _tables(study: Study, name: str) -> list[tuple[Path, str | None]]:
    """The operator's tables, each with the name that takes the place of the code; ``None``: the lines go."""
    tables: list[tuple[Path, str | None]] = [(study.consents_path, name), (study.participants_path, None)]
    tables += [(path, None) for path in side_files(study.surveys)]
    return [(path, becomes) for path, becomes in tables if path.is_file()]


def _relabelled(path: Path, code: str, replacement: str | None) -> tuple[bytes, int]:
    """A CSV in which the rows of ``code`` have the code ``replacement``, or are gone; every other byte is as it was.

    Returns:
        The new content of the file, and the number of rows concerned.

    Raises:
        UnicodeDecodeError, csv.Error: the file is no CSV.
    """
    content = path.read_bytes()
    text, encoding, mark = decoded(content)
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
        if place is None:
            if any(cells) and not cells[0].startswith("#"):
                if CODE_COLUMN not in cells:
                    return content, 0
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
    return mark + "".join(kept).encode(encoding), concerned


def naming(names: Sequence[str]) -> re.Pattern[str] | None:
    """A pattern that finds any of ``names`` as a whole word, in any case; ``None`` if there is no name."""
    if not names:
        return None
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(
        "|".join(rf"(?<![0-9A-Za-z_-]){re.escape(name)}(?![0-9A-Za-z_-])" for name in longest_first), re.IGNORECASE
    )


def _still_named(study: Study, names: Sequence[str]) -> list[Path]:
    """Files of the study folder that name one of ``names`` as a whole word, or are another copy of a store.

    Stores and releases are searched by value, other participants' donations and feature archives not at all.
    A short number is searched for in the names of files only: ``21`` means many things in many files.
    """
    by_name, by_content = naming(names), naming([name for name in names if len(name) >= 5 or not name.isdigit()])
    stores = {study.vault_path, study.catalogue_path, study.warehouse_path}
    elsewhere = {study.inbox, study.catalogue, study.published, study.pending}
    found = []
    for path in sorted(study.root.rglob("*")):
        if not path.is_file() or path.is_symlink() or path in stores or not elsewhere.isdisjoint(path.parents):
            continue
        if _is_copy(path) or (by_name and by_name.search(path.name)) or (by_content and _holds(path, by_content)):
            found.append(path)
    return found


def _holds(path: Path, pattern: re.Pattern[str]) -> bool:
    if path.stat().st_size > LARGEST_SEARCHED:
        return False
    content = path.read_bytes()
    try:
        text = decoded(content)[0]
    except UnicodeDecodeError:
        text = content.decode("utf-8", "replace")
    return pattern.search(text) is not None


def _is_copy(path: Path) -> bool:
    """Whether it may be another copy of a store or of a donation: DuckDB's mark, or a suffix."""
    if path.suffix.lower() in STORES:
        return True
    with path.open("rb") as file:
        return file.read(12)[8:12] == b"DUCK"
