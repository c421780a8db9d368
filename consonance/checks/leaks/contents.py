"""What is in a file, as texts: by its content, whatever its suffix, and however often it is packed.

A file that cannot be read so that names in it would be found is an error: a scan must not pass over it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickletools
import sqlite3
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import duckdb
import msgpack  # type: ignore[import-untyped]
from backports import zstd

from consonance.study.literals import literal
from consonance.study.tables import MARKS
from consonance.study.vault import session_settings

# A text is searched in pieces, each with the end of the one before it, so that no name is cut in two.
PIECE = 32 << 20
OVERLAP = 2048
# What has to be read as a whole, and what is unpacked, has a limit: a small file may unpack to anything.
LARGEST_WHOLE = 512 << 20
LARGEST_UNPACKED = 4 << 30
DEEPEST = 5
ROWS_OF_A_PIECE = 50_000
# The most control characters that a text has, as a share.
CONTROLS_OF_A_TEXT = 0.002

COMPRESSED: dict[bytes, Callable[..., Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
    b"\x28\xb5\x2f\xfd": zstd.open,
}
CLOSED = {b"7z\xbc\xaf\x27\x1c": "7z", b"Rar!": "RAR", b"\x04\x22\x4d\x18": "LZ4", b"\xff\x06\x00\x00sNaPpY": "Snappy"}
PARQUET, DUCKDB, SQLITE = b"PAR1", b"DUCK", b"SQLite format 3\x00"
CONTROLS = bytes(byte for byte in range(32) if byte not in b"\t\n\r\f\x1b")


class Unsearchable(Exception):
    """The content of a file cannot be searched; the text says why."""


@dataclass(frozen=True)
class Piece:
    """A piece of what is in a file.

    Attributes:
        inside: The file inside the file, or its table; empty for the file itself.
        text: Of the piece. Of a table: a line for each row, and a heading.
        first_line: The number of its first line.
        is_text: False if it is read from bytes that are no text.
    """

    inside: str
    text: str
    first_line: int = 1
    is_text: bool = True


def pieces(path: Path) -> Iterator[Piece]:
    """The content of ``path``, and of everything that is packed in it.

    Raises:
        Unsearchable: it cannot be read, or is packed in a way that this program does not know.
        OSError: the file cannot be opened.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
            file.seek(0)
            if _is_database(head):
                yield from _tables(path, head)
            else:
                yield from _content(file, "", 0, [0])
    except (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, zstd.ZstdError) as error:
        raise Unsearchable(f"it is a damaged archive ({type(error).__name__})") from None
    except (RuntimeError, NotImplementedError):
        raise Unsearchable("it is an archive that is encrypted, or of an unknown kind") from None


def is_encrypted_database(path: Path) -> bool:
    """Whether ``path`` is a database of DuckDB that cannot be opened without a key."""
    with path.open("rb") as file:
        if file.read(12)[8:12] != DUCKDB:
            return False
    try:
        duckdb.connect(str(path), read_only=True).close()
    except duckdb.Error as error:
        return "encrypt" in str(error).lower()
    return False


def _is_database(head: bytes) -> bool:
    return head.startswith((PARQUET, SQLITE)) or head[8:12] == DUCKDB


def _content(file: IO[bytes], inside: str, depth: int, unpacked: list[int]) -> Iterator[Piece]:
    """The pieces of an open file; ``unpacked`` counts the bytes that were read from archives."""
    if depth > DEEPEST:
        raise Unsearchable("it is packed in too many layers")
    head = _peek(file, 512)
    for mark, kind in CLOSED.items():
        if head.startswith(mark):
            raise Unsearchable(f"it is packed with {kind}")
    for mark, unpack in COMPRESSED.items():
        if head.startswith(mark):
            with unpack(file) as content:
                yield from _content(content, inside, depth + 1, unpacked)
            return
    if depth and _is_database(head):
        raise Unsearchable("a database or a Parquet file is packed in it")
    if head.startswith(b"PK\x03\x04"):
        yield from _members_of_zip(_whole(file, unpacked), inside, depth, unpacked)
    elif head[257:262] == b"ustar":
        yield from _members_of_tar(file, inside, depth, unpacked)
    elif _is_pickle(head):
        yield from _of_pickle(_whole(file, unpacked), inside)
    elif (text := _of_msgpack(file, head, unpacked)) is not None:
        yield Piece(inside, text)
    else:
        yield from _plain(file, inside, depth, unpacked)


def _members_of_zip(content: bytes, inside: str, depth: int, unpacked: list[int]) -> Iterator[Piece]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            name = f"{inside}/{member.filename}".lstrip("/")
            yield Piece(name, member.filename)
            if not member.is_dir():
                with archive.open(member) as file:
                    yield from _content(file, name, depth + 1, unpacked)


def _members_of_tar(file: IO[bytes], inside: str, depth: int, unpacked: list[int]) -> Iterator[Piece]:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            name = f"{inside}/{member.name}".lstrip("/")
            yield Piece(name, member.name)
            if member.isfile() and (content := archive.extractfile(member)):
                yield from _content(content, name, depth + 1, unpacked)


def _is_pickle(head: bytes) -> bool:
    return head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")


def _of_pickle(content: bytes, inside: str) -> Iterator[Piece]:
    """The texts of a pickle, of which nothing is run; and its bytes, for what is no text of its own, such as an array."""
    found: list[str] = []
    with suppress(ValueError, EOFError):
        found += (str(argument) for _, argument, _ in pickletools.genops(content) if argument is not None)
    yield Piece(inside, "\n".join(found))
    yield Piece(inside, content.decode("utf-8", "replace"), is_text=False)


def _of_msgpack(file: IO[bytes], head: bytes, unpacked: list[int]) -> str | None:
    """The objects of msgpack as JSON; ``None`` if it is none."""
    if head[:1] and (head[0] in range(0x81, 0xA0) or head[0] in (0xDC, 0xDD, 0xDE, 0xDF)):
        content = _whole(file, unpacked)
        try:
            unpacker = msgpack.Unpacker(
                io.BytesIO(content), raw=False, strict_map_key=False, unicode_errors="replace", max_buffer_size=0
            )
            return "\n".join(json.dumps(_plainly(one), ensure_ascii=False, default=str) for one in unpacker)
        except (ValueError, TypeError, msgpack.exceptions.UnpackException, RecursionError):
            file.seek(0)
    return None


def _plainly(value: object) -> object:
    """Keys of every kind as texts, as JSON needs them."""
    if isinstance(value, dict):
        return {str(key): _plainly(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plainly(one) for one in value]
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _plain(file: IO[bytes], inside: str, depth: int, unpacked: list[int]) -> Iterator[Piece]:
    """A text, or bytes of an unknown kind as far as they can be read as one, in pieces."""
    first = file.read(PIECE)
    encoding = _encoding_of(first)
    is_text = encoding != "bytes"
    decoding = encoding if is_text else "utf-8"
    heading, kept, line = "", "", 1
    content = first
    while content:
        if depth:
            _count(unpacked, len(content))
        text = content.decode(decoding, "replace")
        yield Piece(inside, heading + kept + text, max(1, line - kept.count("\n") - heading.count("\n")), is_text)
        line += text.count("\n")
        if not heading and "\n" in text[:OVERLAP]:
            heading = text[: text.index("\n") + 1]
        kept = text[-OVERLAP:]
        content = file.read(PIECE)


def _encoding_of(content: bytes) -> str:
    """The encoding of a text by its beginning; ``bytes`` if it is none."""
    for mark, encoding in MARKS.items():
        if content.startswith(mark):
            return encoding
    beginning = content[: 1 << 16]
    zeros = beginning.count(0)
    if zeros * 3 > len(beginning) and len(beginning) >= 4:
        return "utf-16-le" if beginning[1::2].count(0) >= beginning[::2].count(0) else "utf-16-be"
    controls = len(beginning) - len(beginning.translate(None, CONTROLS))
    if controls > CONTROLS_OF_A_TEXT * len(beginning):
        return "bytes"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        # A piece may end within a character.
        return "utf-8" if error.start > len(content) - 4 else "cp1252"
    return "utf-8"


def _tables(path: Path, head: bytes) -> Iterator[Piece]:
    """The tables of a database or of a Parquet file: a line for each row, cells between tabs, a heading above."""
    if head.startswith(SQLITE):
        try:
            with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                yield Piece("", "\n".join(database.iterdump()))
        except sqlite3.Error:
            raise Unsearchable("it is a database that SQLite cannot read") from None
        return
    with duckdb.connect(config=session_settings()) as connection:
        try:
            if head.startswith(PARQUET):
                yield from _rows(connection, f"read_parquet({literal(path)})", "")
                return
            connection.execute(f"attach {literal(path)} as found (read_only)")
            for schema, table, comment in connection.execute(
                "select schema_name, table_name, comment from duckdb_tables() where database_name = 'found' order by all"
            ).fetchall():
                yield Piece(f"{schema}.{table}", f"{schema}.{table}\n{comment or ''}")
                yield from _rows(connection, f'found."{schema}"."{table}"', f"{schema}.{table}")
        except duckdb.Error:
            raise Unsearchable("it is a database or a Parquet file that DuckDB cannot read") from None


def _rows(connection: duckdb.DuckDBPyConnection, relation: str, inside: str) -> Iterator[Piece]:
    names = [str(row[0]) for row in connection.execute(f"describe from {relation}").fetchall()]
    cells = ", ".join(f"coalesce(cast({_identifier(name)} as varchar), '')" for name in names)
    heading = "\t".join(names)
    texts = connection.execute(
        f"""
        select string_agg(line, chr(10))
        from (
            select concat_ws(chr(9), {cells}) as line, row_number() over () // {ROWS_OF_A_PIECE} as piece
            from {relation}
        )
        group by piece
        """
    )
    yield Piece(inside, heading)
    while row := texts.fetchone():
        yield Piece(inside, f"{heading}\n{row[0]}")


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _whole(file: IO[bytes], unpacked: list[int]) -> bytes:
    content = file.read(LARGEST_WHOLE + 1)
    if len(content) > LARGEST_WHOLE:
        raise Unsearchable("it is too large to be searched")
    _count(unpacked, len(content))
    return content


def _count(unpacked: list[int], read: int) -> None:
    unpacked[0] += read
    if unpacked[0] > LARGEST_UNPACKED:
        raise Unsearchable("it unpacks to too much to be searched")


def _peek(file: IO[bytes], length: int) -> bytes:
    head = file.read(length)
    file.seek(0)
    return head
