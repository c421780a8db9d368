"""Reading the study's own tables (enrolment, consent, notices): every fault with its line."""

from __future__ import annotations

import codecs
import csv
import io
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from consonance.study.errors import ConsonanceError
from consonance.study.files import replace_file
from consonance.study.tombstones import erased_codes

MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
DELIMITERS = (",", ";", "\t", "|")
# A value may be as long as its file: who reads the table says what is wrong with it, and Python's csv need not.
csv.field_size_limit(sys.maxsize)
CORRECT_LINES = "Correct these lines; nothing was loaded from this file."


class BadTable(ConsonanceError):
    """A table of the study cannot be used."""


def decoded(content: bytes) -> tuple[str, str, bytes]:
    """The text of a table, its encoding, and the byte order mark that stood before it.

    Programs write UTF-8, spreadsheets also UTF-16 ("Unicode text") and, on older systems, Windows-1252.

    Raises:
        UnicodeDecodeError: it is no text in any of these.
    """
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding), encoding, mark
    if b"\0" in content[:2]:
        encoding = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
        return content.decode(encoding), encoding, b""
    try:
        return content.decode("utf-8"), "utf-8", b""
    except UnicodeDecodeError:
        return content.decode("cp1252"), "cp1252", b""


def delimiter_of(header: str) -> str:
    """What separates the columns of a CSV that begins with ``header``: what makes most columns of it."""
    return max(DELIMITERS, key=lambda delimiter: len(next(csv.reader([header], delimiter=delimiter), [])))


def dialect_of(text: str) -> tuple[str, str]:
    """The delimiter and the line ending of a CSV, by its first line."""
    header = text.split("\n", 1)[0]
    return delimiter_of(header), "\r\n" if header.endswith("\r") else "\n"


def append_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Add ``rows`` at the end of the table ``path``, in its own columns, delimiter and line endings."""
    content = path.read_bytes()
    text = content.decode("utf-8-sig")
    delimiter, ending = dialect_of(text)
    names = [name.strip() for name in next(csv.reader([text.split("\n", 1)[0]], delimiter=delimiter))]
    lines = io.StringIO()
    writer = csv.DictWriter(lines, names, restval="", delimiter=delimiter, lineterminator=ending)
    writer.writerows(rows)
    if not content.endswith(b"\n"):
        content += ending.encode()
    replace_file(path, content + lines.getvalue().encode(), stat.S_IMODE(path.stat().st_mode))


def refuse_erased(connection: duckdb.DuckDBPyConnection, path: Path, codes: Sequence[tuple[int, str]]) -> None:
    """Refuse a table with a participant who withdrew and was erased.

    Args:
        connection: With the vault attached.
        path: The table, for the message.
        codes: (line, participant code) of each of its rows.

    Raises:
        BadTable: a line names such a participant.
    """
    erased = erased_codes(connection, [code for _, code in codes])
    lines = [f"line {line} names a participant who withdrew and was erased" for line, code in codes if code in erased]
    if lines:
        raise BadTable(
            f"{path} cannot be used: {'; '.join(lines[:10])}.",
            "Delete these lines. A participant who takes part again gets another code.",
        )


@dataclass
class TableReader:
    """Reads one CSV and gathers what is wrong with it, so that all of it is reported at once.

    Messages name file, line and column; they never repeat a value.
    """

    path: Path
    faults: list[str] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)

    def rows(self, columns: Sequence[str]) -> list[tuple[int, dict[str, str]]]:
        """(line, values by column) of every row that is not blank; values are stripped.

        Raises:
            BadTable: no such file, not UTF-8, or a header that lacks a column.
        """
        try:
            text = self.path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            raise BadTable(
                f"{self.path} is missing.", "Run 'consonance init' in an empty folder, and copy the file from there."
            ) from None
        except UnicodeDecodeError:
            raise BadTable(f"{self.path} is not UTF-8.", "Save it as 'CSV UTF-8'.") from None
        reader = csv.reader(io.StringIO(text), delimiter=dialect_of(text)[0])
        try:
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
        except csv.Error:
            raise BadTable(
                f"{self.path} cannot be read as CSV from line {reader.line_num + 1} on.",
                "Save it as 'CSV UTF-8' again.",
            ) from None
        lines = [(number, row) for number, row in lines if any(row) and not row[0].startswith("#")]
        if not lines:
            raise BadTable(f"{self.path} has no header.", f"Its first line must be {','.join(columns)}.")
        names = lines[0][1]
        if missing := [column for column in columns if column not in names]:
            raise BadTable(
                f"{self.path} lacks the column {missing[0]}.", f"Its first line must be {','.join(columns)}."
            )
        if repeated := [column for column in columns if names.count(column) > 1]:
            raise BadTable(f"{self.path} has the column {repeated[0]} twice.", "Give one of them another name.")
        places = {column: names.index(column) for column in columns}
        found = []
        for number, row in lines[1:]:
            if len(row) != len(names):
                self.fault(number, f"has {len(row)} values, but the header has {len(names)}")
                continue
            found.append((number, {column: row[place] for column, place in places.items()}))
        return found

    def fault(self, line: int, what: str, remedy: str = CORRECT_LINES) -> None:
        self.faults.append(f"line {line} {what}")
        if remedy not in self.remedies:
            self.remedies.append(remedy)

    def moment(self, line: int, column: str, text: str) -> datetime | None:
        """An ISO 8601 date-time with an offset, as naive UTC; ``None`` and a fault otherwise."""
        try:
            moment = datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                return moment.astimezone(UTC).replace(tzinfo=None)
        except (ValueError, OverflowError):
            pass
        self.fault(line, f"has no date-time with an offset in {column} (such as 2026-03-01T10:00:00+01:00)")
        return None

    def day(self, line: int, column: str, text: str) -> date | None:
        """An ISO 8601 date; ``None`` if ``text`` is empty, ``None`` and a fault if it is something else."""
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fault(line, f"has no date in {column} (such as 2020-01-31)")
            return None

    def close(self) -> None:
        """Raise what was found.

        Raises:
            BadTable: at least one fault was noted.
        """
        if self.faults:
            shown = "; ".join(self.faults[:10]) + ("; …" if len(self.faults) > 10 else "")
            raise BadTable(f"{self.path} cannot be used: {shown}.", " ".join(self.remedies))
