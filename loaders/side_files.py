"""Side files: the tables in ``surveys/`` and ``catalogue/``, found in these folders and read one by one.

If one cannot be read, the others are read all the same. What is not read is reported, with the reason.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from dataclasses import dataclass
from pathlib import Path

import duckdb

from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.tables import decoded, delimiter_of
from loaders.memory_files import in_memory
from loaders.system_files import is_system_file

SUFFIXES = (".csv", ".tsv", ".tab", ".txt")
SAVE_AS_CSV = "Save it as 'CSV UTF-8', under a name that ends in .csv."

ROWS = "side_rows"
PARQUET = b"PAR1"


class NotRead(ConsonanceError):
    """A side file is not read. ``reason`` is one word for reports."""

    def __init__(self, reason: str, what: str, remedy: str) -> None:
        super().__init__(what, remedy)
        self.reason = reason


@dataclass(frozen=True)
class SideTable:
    """A side file as it was read into the temporary table ``side_rows`` (line, c0, c1, …: text).

    Attributes:
        header: The names of its columns, as written; column n is ``c<n>``.
        delimiter: What separates them.
        bad_lines: Lines that are no row of the table: too many values, or broken quotes.
    """

    header: list[str]
    delimiter: str
    bad_lines: int

    def column(self, name: str) -> str | None:
        """The column of ``side_rows`` called ``name``.

        Raises:
            NotRead: there are two of them.
        """
        places = [place for place, heading in enumerate(self.header) if heading == name]
        if len(places) > 1:
            raise NotRead("repeated_column", f"It has the column {name} twice.", "Give one of them another name.")
        return f"c{places[0]}" if places else None


def side_files(folder: Path) -> list[Path]:
    """Every file in ``folder``, at any depth, that is not passed over."""
    return sorted(
        path
        for path in folder.rglob("*")
        if not (path.is_dir() and not path.is_symlink()) and not is_passed_over(path.relative_to(folder))
    )


def is_passed_over(path: Path) -> bool:
    """Whether a file at ``path`` within the folder is hidden, or one that a computer or an office program made."""
    return (
        any(part.startswith(".") for part in path.parts)
        or path.name.startswith("~$")
        or is_system_file(path.as_posix())
    )


def name_in_reports(study: Study, path: Path) -> str:
    """How reports name a side file; what is not UTF-8 in the name is replaced."""
    return study.within(path).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def content_of(path: Path, also: tuple[str, ...] = ()) -> bytes:
    """The bytes of a side file.

    Args:
        path: Where it is.
        also: Suffixes that are read beside ``SUFFIXES``.

    Raises:
        NotRead: it is no file, no table by its name, or cannot be opened.
    """
    if not path.is_file():
        raise NotRead("no_file", "It is a link or a device, not a file.", "Put the file itself there.")
    if path.suffix.lower() not in (suffixes := (*SUFFIXES, *also)):
        raise NotRead("no_csv", f"Only {', '.join(suffixes)} are read.", SAVE_AS_CSV)
    try:
        return path.read_bytes()
    except OSError:
        raise NotRead("cannot_be_opened", "It cannot be opened.", "Give yourself the right to read it.") from None


def read_side_table(connection: duckdb.DuckDBPyConnection, content: bytes, mends: bool = False) -> SideTable:
    """Read a table of text, or a Parquet file, into ``side_rows``.

    Delimiter and encoding of text are found out; blank lines do not count.

    Args:
        connection: Where.
        content: Of the file.
        mends: Count a line that opens a quotation, which no row closes, as a bad line. Otherwise the table is not read if
            it has one such line; of two, all that is between them is one cell: answers may have many lines.

    Raises:
        NotRead: there is no table in it.
    """
    if content.startswith(PARQUET):
        return _read_parquet(connection, content)
    try:
        text, _, _ = decoded(content)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise NotRead("no_text", "It is no text.", SAVE_AS_CSV)
    text = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n")
    if not text.strip():
        raise NotRead("empty_file", "It is empty.", "Export it again, or delete it.")
    delimiter = delimiter_of(text.split("\n", 1)[0])
    text, broken = without_broken_quotations(text, delimiter) if mends else (text, 0)
    header = _header(text, delimiter)
    columns = ", ".join(f"'c{place}': 'VARCHAR'" for place in range(len(header)))
    with in_memory(text.encode(), ".csv") as address:
        source = (
            f"read_csv('{address}', auto_detect = false, header = true, columns = {{{columns}}}, delim = '{delimiter}', "
            "quote = '\"', escape = '\"', nullstr = '', null_padding = true, parallel = false, ignore_errors = true, "
            "max_line_size = 16000000, store_rejects = true, rejects_table = 'side_rejects', rejects_scan = 'side_scans')"
        )
        try:
            connection.execute(
                f"create or replace temp table {ROWS} as select row_number() over () + 1 as line, * from {source}"
            )
        except (duckdb.InvalidInputException, duckdb.ConversionException, UnicodeDecodeError):
            raise NotRead("no_csv", "It is no well-formed CSV.", SAVE_AS_CSV) from None
    ((bad_lines,),) = connection.execute("select count(distinct line) from side_rejects").fetchall()
    connection.execute("drop table side_rejects; drop table side_scans")
    cells = ", ".join(f"c{place}" for place in range(len(header)))
    connection.execute(f"delete from {ROWS} where coalesce({cells}) is null")
    return SideTable(header, delimiter, int(bad_lines) + broken)


def without_broken_quotations(text: str, delimiter: str) -> tuple[str, int]:
    """``text`` without the lines that open a quotation which does not end where a row ends; and how many they were.

    Two lines with an odd number of quotation marks belong together if they and those between them are one row, and none
    of those between them is a row by itself.
    """
    lines = text.split("\n")
    odd = [place for place, line in enumerate(lines) if line.count('"') % 2] if '"' in text else []
    if not odd or odd[0] == 0:  # A header in several lines, or without an end, is left as it is.
        return text, 0
    columns = len(next(csv.reader(lines[:1], delimiter=delimiter)))
    broken, opened = set(), None
    for place in odd:
        if opened is None:
            opened = place
        elif _is_row(lines[opened : place + 1], delimiter, columns) and not any(
            _is_row([line], delimiter, columns) for line in lines[opened + 1 : place]
        ):
            opened = None
        else:
            broken.add(opened)
            opened = place
    if opened is not None:
        broken.add(opened)
    return "\n".join(line for place, line in enumerate(lines) if place not in broken), len(broken)


def _is_row(lines: list[str], delimiter: str, columns: int) -> bool:
    try:
        rows = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter, strict=True))
    except csv.Error:
        return False
    return [len(row) for row in rows] == [columns]


def _read_parquet(connection: duckdb.DuckDBPyConnection, content: bytes) -> SideTable:
    with in_memory(content, ".parquet") as address:
        try:
            described = connection.execute(f"describe from read_parquet('{address}')").fetchall()
            names = [name for name, *_ in described]
            quoted = ('"' + name.replace('"', '""') + '"' for name in names)
            columns = ", ".join(f"cast({name} as varchar) as c{place}" for place, name in enumerate(quoted))
            connection.execute(
                f"create or replace temp table {ROWS} as select row_number() over () + 1 as line, {columns} from read_parquet('{address}')"
            )
        except duckdb.Error:
            raise NotRead("no_parquet", "It is no whole Parquet file.", "Write or download it again.") from None
    return SideTable([name.strip() for name in names], ",", 0)


def _header(text: str, delimiter: str) -> list[str]:
    """The names of the columns.

    Raises:
        NotRead: a quotation never ends, so that it is not clear where a row ends.
    """
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        header = next(reader)
        if text.count('"') % 2:
            deque(reader, maxlen=0)
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            raise NotRead("open_quotation", "A quotation mark in it is never closed.", "Export it again.") from None
        header = next(csv.reader(io.StringIO(text), delimiter=delimiter))
    return [name.strip() for name in header]
