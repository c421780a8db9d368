"""Reading the study's own tables (enrolment, consent, notices): every fault with its line."""

from __future__ import annotations

import codecs
import csv
import io
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
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


def lines_of(text: str) -> list[str]:
    """The lines of a table, each with its ending."""
    return list(io.StringIO(text, newline=""))


def header_place(lines: Sequence[str]) -> int:
    """Which of ``lines`` is the header of one of the study's tables: the first that is neither blank nor a comment.

    Blank is a line of nothing but spaces, delimiters and quotation marks; a comment begins with ``#``. If there is no
    header, the number of lines.
    """
    for place, line in enumerate(lines):
        is_blank = all(sign.isspace() or sign in (*DELIMITERS, '"') for sign in line)
        if not is_blank and not line.lstrip().lstrip('"').lstrip().startswith("#"):
            return place
    return len(lines)


def dialect_of(header: str) -> tuple[str, str]:
    """The delimiter and the line ending of a CSV with the line ``header``."""
    return delimiter_of(header), header[len(header.rstrip("\r\n")) :] or "\n"


def append_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Add ``rows`` at the end of the table ``path``.

    Raises:
        BadTable: see ``with_rows``; nothing is changed then.
    """
    replace_file(path, with_rows(path, rows), stat.S_IMODE(path.stat().st_mode))


def with_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> bytes:
    """What the table ``path`` is with ``rows`` at its end, in its own columns, delimiter and line endings.

    Raises:
        BadTable: they would not be read as rows there, such as below a quotation that does not end.
    """
    content = path.read_bytes()
    try:
        added = _added_to(content.decode("utf-8-sig"), rows)
    except (ValueError, csv.Error):
        raise BadTable(
            f"No line can be added to {path}.", "Save it as 'CSV UTF-8' again; its first line must be the header."
        ) from None
    return content + added.encode()


def _added_to(text: str, rows: Sequence[Mapping[str, object]]) -> str:
    """What must be written after ``text``, so that ``rows`` are the last of the table.

    Raises:
        ValueError, csv.Error: there is no header, one of their columns is not there, or they are not read as rows there.
    """
    known = [cells for _, cells in _rows_of(text)]
    if not known or not all(row.keys() <= set(known[0]) for row in rows):
        raise ValueError
    lines = lines_of(text)
    delimiter, ending = dialect_of(lines[header_place(lines)])
    values = [[str(row.get(name, "")) for name in known[0]] for row in rows]
    added = io.StringIO()
    csv.writer(added, delimiter=delimiter, lineterminator=ending).writerows(values)
    end = ("" if text.endswith(("\n", "\r")) else ending) + added.getvalue()
    if [cells for _, cells in _rows_of(text + end)] != known + [[value.strip() for value in row] for row in values]:
        raise ValueError
    return end


def _rows_of(text: str) -> Iterator[tuple[int, list[str]]]:
    """(last line, cells without spaces around them) of the header and of every row that is neither blank nor a comment.

    Raises:
        csv.Error: it is no CSV.
    """
    lines = lines_of(text)
    place = header_place(lines)
    if place == len(lines):
        return
    reader = csv.reader(lines[place:], delimiter=dialect_of(lines[place])[0])
    for row in reader:
        cells = [cell.strip() for cell in row]
        if any(cells) and not cells[0].startswith("#"):
            yield place + reader.line_num, cells


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
        lines: list[tuple[int, list[str]]] = []
        try:
            lines.extend(_rows_of(text))
        except csv.Error:
            raise BadTable(
                f"{self.path} cannot be read as CSV from line {lines[-1][0] + 1 if lines else 1} on.",
                "Save it as 'CSV UTF-8' again.",
            ) from None
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
