"""Large tables that are packed: read a block at a time, never as a whole."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, cast

from backports import zstd

from consonance.study.errors import ConsonanceError

BLOCK = 64 << 20
# A line of a table is at most this long; what is longer is no table.
LONGEST_LINE = 16 << 20


class NoTable(ConsonanceError):
    """A file has no table of the kind that is asked for."""


def blocks(path: Path, member: str | None = None, size: int = BLOCK) -> Iterator[bytes]:
    """The lines of a table in blocks of about ``size`` bytes, each of them with the first line, its header, on top.

    Args:
        path: A table as it is, or packed with gzip or Zstandard; or a tar archive, itself packed or not, with the
            table in it.
        member: The name of the table in a tar archive, without its folders.
        size: In bytes.

    Raises:
        NoTable: it cannot be unpacked, has no such member, or no lines.
    """
    try:
        with ExitStack() as stack:
            yield from _lines(_opened(path, member, stack), path, size)
    except (OSError, EOFError, zstd.ZstdError, tarfile.TarError) as error:
        if isinstance(error, FileNotFoundError):
            raise NoTable(f"{path} does not exist.", "Name the file as it was downloaded.") from None
        raise NoTable(f"{path} cannot be unpacked.", "Download it again, and compare its size.") from None


def _opened(path: Path, member: str | None, stack: ExitStack) -> IO[bytes]:
    file: IO[bytes] = stack.enter_context(path.open("rb"))
    suffixes = [suffix.lower() for suffix in path.suffixes]
    if suffixes[-1:] == [".zst"]:
        file = stack.enter_context(cast("AbstractContextManager[IO[bytes]]", zstd.ZstdFile(file)))
    elif suffixes[-1:] in ([".gz"], [".tgz"]):
        file = stack.enter_context(cast("AbstractContextManager[IO[bytes]]", gzip.GzipFile(fileobj=file)))
    if not {".tar", ".tgz"} & set(suffixes[-2:]):
        return file
    archive = stack.enter_context(tarfile.open(fileobj=file, mode="r|"))  # noqa: SIM115
    for entry in archive:
        if entry.isfile() and PurePosixPath(entry.name).name == member:
            found = archive.extractfile(entry)
            if found is not None:
                return found
    raise NoTable(f"{path} has no file {member}.", "Download the archive that has it.")


def _lines(file: IO[bytes], path: Path, size: int) -> Iterator[bytes]:
    header, rest = b"", b""
    while block := file.read(size):
        block = rest + block
        if not header:
            header, newline, block = block.partition(b"\n")
            header += newline
            if not newline:
                raise NoTable(f"{path} has no lines.", "Name a table: a CSV file with a header.")
        end = block.rfind(b"\n") + 1
        rest = block[end:]
        if len(rest) > LONGEST_LINE:
            raise NoTable(f"{path} is no table: a line of it never ends.", "Name a table: a CSV file with a header.")
        if end:
            yield header + block[:end]
    if not header:
        raise NoTable(f"{path} is empty.", "Download it again, and compare its size.")
    if rest:
        yield header + rest
