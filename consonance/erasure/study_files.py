"""The study files of an erasure: donations, lines of the operator's tables, pages for the participant, other files.

What is known by its place is removed. What merely names the participant (notes, copies of stores, files
under other names) is listed: only a person can decide what to do with it.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from consonance.consent.ledger_file import COLUMNS as LEDGER_COLUMNS
from consonance.study.desk import readers_of_former
from consonance.study.files import remove_within, replace_file, sha256_of, sync
from consonance.study.folder import Study
from consonance.study.tables import decoded, dialect_of, header_place, lines_of
from consonance.study.vault import open_study
from loaders.donation_tools import files as tool_files
from loaders.inbox import find_donations
from loaders.side_files import side_files
from loaders.surveys.maps import Maps, questionnaire_files
from loaders.surveys.tables import LISTING

CODE_COLUMN = LEDGER_COLUMNS[0]
# Of larger files only the name is searched.
LARGEST_SEARCHED = 64 * 1024 * 1024
# A table that is no CSV, or no JSON.
UNREADABLE = (ValueError, csv.Error, RecursionError)
STORES = (".duckdb", ".db", ".wal", ".parquet", ".zip", ".gz", ".tar", ".bak")


@dataclass(frozen=True)
class StudyFiles:
    """What the study files hold of participants, counted.

    Attributes:
        donation_files, donation_bytes: In their folders of the inbox, and their parts of files of donation tools.
        receipts: Files made for them to keep: consent receipts and give-back pages.
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
    donated = [path.stat().st_size for code in codes for path in _donated(study, code)]
    donated += [held.size for code in codes for held in tool_files.held_of(study, code)]
    lines: Counter[str] = Counter()
    for code in codes:
        for table in _tables(study, ""):
            with suppress(*UNREADABLE):
                lines[study.within(table.path)] += _relabelled(table, code)[1]
    return StudyFiles(
        len(donated),
        sum(donated),
        sum(path.exists() for code in codes for path in study.pages_for(code)),
        dict(+lines),
    )


def clear(study: Study, labels: Mapping[str, str]) -> None:
    """Remove participants from the study files.

    In ``consents.csv`` the lines stay, with another name for the code: the study must be able to prove that somebody
    consented, and to what. Lines of ``participants.csv``, ``donation_ids.csv`` and ``surveys/`` go, and so do donations,
    receipts and give-back pages. Of a file of a donation tool only the part of the participant goes.

    Args:
        study: Whose files.
        labels: Participant code to the name that takes its place.
    """
    for code, name in labels.items():
        folder = study.donations_of(code)
        if folder.is_dir() and not folder.is_symlink() and remove_within(study.root, folder):
            sync(study.inbox)
        tool_files.remove(study, code)  # before the line of donation_ids.csv that says how the tool calls them
        for page in study.pages_for(code):
            remove_within(study.root, page)
        for table in _tables(study, name):
            with suppress(*UNREADABLE):
                content, lines = _relabelled(table, code)
                if lines:
                    replace_file(table.path, content, table.path.stat().st_mode & 0o777)


def file_hashes(study: Study) -> dict[str, dict[str, int | str]]:
    """Size in bytes and SHA-256 of the stores and of the operator's tables, by name."""
    tables = [path for path in side_files(study.surveys) if path.is_file()]
    operators = [study.consents_path, study.participants_path, study.donation_ids_path]
    paths = [
        path for path in (study.vault_path, study.warehouse_path, study.desk_path, *operators, *tables) if path.exists()
    ]
    with ThreadPoolExecutor() as pool:
        hashes = list(pool.map(sha256_of, paths))
    return {
        study.within(path): {"bytes": path.stat().st_size, "sha256": sha256}
        for path, sha256 in zip(paths, hashes, strict=True)
    }


def left_to_do(study: Study, codes: Sequence[str], names: Sequence[str], others: Set[str] = frozenset()) -> list[str]:
    """What only a person can clear, one sentence each.

    Args:
        study: Cleared.
        codes: Of the participants who were erased.
        names: Their user names, and the ids that donation tools gave them.
        others: The codes of those who are enrolled.
    """
    named = _still_named(study, [*codes, *names], others)
    to_do = [
        f"{study.within(path)} is a link out of the study folder, or cannot be deleted: delete it, and what it links to."
        for code in codes
        for path in (study.donations_of(code), *study.pages_for(code))
        if os.path.lexists(path)
    ]
    for table in _tables(study, ""):
        try:
            _relabelled(table, "")
        except _NoCodes:
            if table.path not in named:
                to_do.append(
                    f"{study.within(table.path)} has no column that is known to have participant codes: remove the participant's lines from it."
                )
        except UNREADABLE:
            to_do.append(
                f"{study.within(table.path)} cannot be read as {table.kind}: remove the participant's lines from it."
            )
    to_do += [
        f"{study.within(path)} cannot be read as the file of a donation tool: delete it if the participant is in it."
        for path in tool_files.unreadable(study)
    ]
    to_do += [
        f"{study.within(path)} names the participant, or may be a copy of a store: look at the file, and delete the file or the name in it."
        for path in named
    ]
    to_do += [
        f"{study.within(path)} is of nobody who is enrolled: delete it if the participant is in it."
        for path in _of_nobody(study, others)
        if path not in named
    ]
    to_do += [
        f"{reader} still has the former analysis.duckdb open, with the participant in it: end that session."
        for reader in readers_of_former(study)
    ]
    return to_do


def _donated(study: Study, code: str) -> list[Path]:
    folder = study.donations_of(code)
    if folder.is_symlink():
        return []
    return [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]


class _NoCodes(ValueError):
    """A table has no column that is known to have participant codes, so that nobody knows whose its rows are."""


@dataclass(frozen=True)
class _Table:
    """A table of the operator's: which of its columns may hold participant codes, and the name that takes the place of
    the code; ``None``: the lines go."""

    path: Path
    columns: Sequence[str]
    becomes: str | None = None
    is_questionnaire: bool = False

    def header_place(self, lines: Sequence[str]) -> int:
        """Which of its lines is the header: as ``read_side_table`` does, or as the study's own tables are read."""
        if self.is_questionnaire:
            return next((place for place, line in enumerate(lines) if line.strip("\r\n")), len(lines))
        return header_place(lines)

    @property
    def kind(self) -> str:
        return "JSON" if self.path.suffix.lower() == ".json" else "CSV"


def _tables(study: Study, name: str) -> list[_Table]:
    """The operator's tables; ``name`` takes the place of the code in the ledger."""
    maps = Maps.of(study)
    tables = [_Table(study.consents_path, [CODE_COLUMN], name)]
    tables += [_Table(path, [CODE_COLUMN]) for path in (study.participants_path, study.donation_ids_path)]
    tables += [
        _Table(path, maps.participant_columns(study, path), is_questionnaire=True)
        for path in questionnaire_files(study)
    ]
    return [table for table in tables if table.path.is_file()]


def _relabelled(table: _Table, code: str) -> tuple[bytes, int]:
    """A table in which the rows of ``code`` have another name, or are gone.

    Returns:
        The new content of the file, and the number of rows concerned.

    Raises:
        ValueError, csv.Error, RecursionError: the file is no CSV, or no JSON; or no column is known to have codes.
    """
    content = table.path.read_bytes()
    return (_without_records if table.kind == "JSON" else _without_rows)(content, table, code)


def _without_records(content: bytes, table: _Table, code: str) -> tuple[bytes, int]:
    """An array of JSON records without those of ``code``."""
    text, encoding, mark = decoded(content)
    records = json.loads(text)
    if not isinstance(records, list):
        raise ValueError
    if records and not any(
        column in record for record in records if isinstance(record, dict) for column in table.columns
    ):
        raise _NoCodes
    kept = [
        record
        for record in records
        if not (isinstance(record, dict) and any(_is_code(record.get(column), code) for column in table.columns))
    ]
    if len(kept) == len(records):
        return content, 0
    return mark + json.dumps(kept, ensure_ascii=False, indent=1).encode(encoding), len(records) - len(kept)


def _without_rows(content: bytes, table: _Table, code: str) -> tuple[bytes, int]:
    """A CSV without the rows of ``code``, or with another name in them; every other byte is as it was."""
    text, encoding, mark = decoded(content)
    lines = lines_of(text)
    header = table.header_place(lines)
    if header == len(lines):
        return content, 0
    delimiter, ending = dialect_of(lines[header])
    reader = csv.reader(lines[header:], delimiter=delimiter)
    names = [name.strip() for name in next(reader)]
    places = [names.index(column) for column in table.columns if column in names]
    if not places:
        if table.is_questionnaire and set(LISTING) <= set(names):
            return content, 0  # m-Path's list of questions
        raise _NoCodes
    begun = header + reader.line_num
    kept = lines[:begun]
    concerned = 0
    for row in reader:
        chunk = lines[begun : header + reader.line_num]
        begun = header + reader.line_num
        if any(_is_code(row[place], code) for place in places if place < len(row)):
            concerned += 1
            if table.becomes is None:
                continue
            row[places[0]] = table.becomes
            line = io.StringIO()
            csv.writer(line, delimiter=delimiter, lineterminator=ending).writerow(row)
            chunk = [line.getvalue()]
        kept += chunk
    return mark + "".join(kept).encode(encoding), concerned


def _is_code(cell: object, code: str) -> bool:
    """Whether a cell holds the code; m-Path writes texts in quotation marks of its own."""
    return str(cell).strip().strip('"') == code


def naming(names: Iterable[str]) -> re.Pattern[str] | None:
    """A pattern that finds any of ``names`` as a whole word, in any case; ``None`` if there is no name."""
    return _any_of((name, "_-") for name in names)


def naming_in_paths(names: Iterable[str]) -> re.Pattern[str] | None:
    """The same for paths, where ``_`` and ``-`` separate words; but not short numbers, of which paths have many."""
    return _any_of((name, "_-" if _is_short_number(name) else "") for name in names)


def _any_of(names: Iterable[tuple[str, str]]) -> re.Pattern[str] | None:
    """A pattern for names, each with what goes on with a word beside letters and digits."""
    longest_first = sorted(names, key=lambda one: -len(one[0]))
    either = "|".join(
        rf"(?<![0-9A-Za-z{joins}]){re.escape(name)}(?![0-9A-Za-z{joins}])" for name, joins in longest_first
    )
    return re.compile(either, re.IGNORECASE) if either else None


def _is_short_number(name: str) -> bool:
    return len(name) < 5 and name.isdigit()


def others_enrolled(study: Study, codes: Sequence[str]) -> set[str]:
    """The codes of everybody who was enrolled at the last load, but for ``codes``.

    Raises:
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    with open_study(study, read_only=True) as connection:
        enrolled = connection.execute("select participant_code from vault.raw.participants").fetchall()
    return {code for (code,) in enrolled} - set(codes)


def _still_named(study: Study, names: Sequence[str], others: Set[str]) -> list[Path]:
    """Files of the study folder that name one of ``names`` as a whole word, or are another copy of a store.

    Stores and releases are searched by value, feature archives not at all, and of the inbox only the paths. A short
    number is searched for in paths only: ``21`` means many things in many files. What is called as the participants
    ``others`` are is theirs, also if a code of theirs begins with a name.
    """
    by_path, by_content = naming_in_paths(names), naming(name for name in names if not _is_short_number(name))
    stores = {study.vault_path, study.catalogue_path, study.warehouse_path, study.desk_path}
    elsewhere = {study.catalogue, study.published, study.pending}
    found = []
    for path in sorted(study.root.rglob("*")):
        if not path.is_file() or path.is_symlink() or path in stores or not elsewhere.isdisjoint(path.parents):
            continue
        parts = [part for part in path.relative_to(study.root).parts if not {part, Path(part).stem} & others]
        is_named = by_path and any(map(by_path.search, parts))
        is_donated = study.inbox in path.parents
        if is_named or (not is_donated and (_is_copy(path) or (by_content and _holds(path, by_content)))):
            found.append(path)
    return found


def _of_nobody(study: Study, enrolled: Set[str]) -> list[Path]:
    """The files in the inbox itself that can be read, or are of no known donation tool, and have nobody of ``enrolled``."""
    if not study.inbox.is_dir():
        return []
    beside = [one for one in find_donations(study) if one.path.parent == study.inbox and one.path.is_file()]
    of_somebody = {one.path for one in beside if one.broken or one.participant_code in enrolled}
    return sorted({one.path for one in beside} - of_somebody)


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
