"""Large files that are packed: unpacked while they are read, never as a whole."""

from __future__ import annotations

import bz2
import gzip
import io
import os
import queue
import tarfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TypeVar, cast

from backports import zstd

from consonance.study.errors import ConsonanceError
from consonance.study.vault import PIPES
from loaders.system_files import is_system_file

CHUNK = 1 << 20
# A line of a table is at most this long; what is longer is no table.
LONGEST_LINE = 16 << 20
HEAD = 64 << 10

Item = TypeVar("Item")


class NoTable(ConsonanceError):
    """A file has nothing of the kind that is asked for."""


class _Counted(io.RawIOBase):
    """A file that reports how many bytes were read of it."""

    def __init__(self, file: io.BufferedReader, progress: Callable[[int], None]) -> None:
        self._file, self._progress = file, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = self._file.readinto(buffer)
        self._progress(size)
        return size


def members(path: Path, progress: Callable[[int], None] = lambda _: None) -> Iterator[tuple[str, io.BufferedReader]]:
    """The files in ``path``, unpacked, each with its name: ``path`` itself, or what is in it.

    How it is packed is found out from its bytes, not from its name. Each file must be read before the next one.

    Args:
        path: A file as it is, or packed with Zstandard, gzip or bzip2; an archive (tar, itself packed or not; zip); or
            a folder of such files.
        progress: Is called with the number of bytes that were read of it, again and again.

    Raises:
        Exception: whatever ``unpacking`` says in other words.
    """
    if path.is_dir():
        for below in sorted(one for one in path.rglob("*") if one.is_file()):
            if not is_system_file(below.relative_to(path).as_posix()):
                yield from members(below, progress)
        return
    with ExitStack() as stack:
        yield from _unpacked(path, stack, progress)


@contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """Say of ``path`` what goes wrong while ``members`` of it are read within the ``with`` block.

    Raises:
        NoTable: it does not exist, or cannot be unpacked.
    """
    try:
        yield
    except FileNotFoundError:
        raise NoTable(f"{path} does not exist.", "Name the file as it was downloaded.") from None
    except (OSError, EOFError, zlib.error, zstd.ZstdError, tarfile.TarError, zipfile.BadZipFile, RuntimeError):
        raise NoTable(f"{path} cannot be unpacked.", "Download it again, and compare its size.") from None


def _unpacked(path: Path, stack: ExitStack, progress: Callable[[int], None]) -> Iterator[tuple[str, io.BufferedReader]]:
    packed = stack.enter_context(path.open("rb"))
    head = packed.read(4)
    packed.seek(0)
    name = path.name
    if head == b"PK\x03\x04":
        with zipfile.ZipFile(packed) as archive:
            for part in archive.infolist():
                if not part.is_dir() and not is_system_file(part.filename):
                    with archive.open(part) as content:
                        yield part.filename, _buffered(content)
                    progress(part.compress_size)
        return
    counted = _buffered(_Counted(packed, progress))
    file: IO[bytes] = counted
    if head == b"\x28\xb5\x2f\xfd" or head[1:] == b"\x2a\x4d\x18":
        file = cast("IO[bytes]", zstd.ZstdFile(counted))
    elif head[:2] == b"\x1f\x8b":
        file = cast("IO[bytes]", gzip.GzipFile(fileobj=counted))
    elif head[:3] == b"BZh":
        file = cast("IO[bytes]", bz2.BZ2File(counted))
    if file is not counted:
        name = path.stem
    content = _buffered(file)
    if content.peek(512)[257:262] != b"ustar":
        yield name, content
        return
    with tarfile.open(fileobj=content, mode="r|") as tar:
        while entry := tar.next():
            tar.members.clear()  # type: ignore[attr-defined]  # it would remember every file of millions
            found = tar.extractfile(entry) if entry.isfile() and not is_system_file(entry.name) else None
            if found is not None:
                yield entry.name, _buffered(found)


def _buffered(file: object) -> io.BufferedReader:
    return io.BufferedReader(cast("io.RawIOBase", file), HEAD)


def chunks(file: IO[bytes], name: str, size: int = CHUNK) -> Iterator[bytes]:
    """A table in chunks of about ``size`` bytes, each of whole lines. Bytes that are no UTF-8 are replaced.

    Raises:
        NoTable: it has no lines.
    """
    rest, has_lines = b"", False
    while block := file.read(size):
        end = block.rfind(b"\n") + 1
        if end:
            has_lines = True
            yield _text(rest + block[:end])
        rest = block[end:] if end else rest + block
        if len(rest) > LONGEST_LINE:
            raise NoTable(f"{name} is no table: a line of it never ends.", "Name a table: a CSV file with a header.")
    if not has_lines:
        raise NoTable(f"{name} has no lines.", "Name a table: a CSV file with a header.")
    if rest:
        yield _text(rest)


@contextmanager
def piped(content: Iterable[bytes]) -> Iterator[str]:
    """The address at which DuckDB reads ``content`` once, while a thread of its own makes it. Nothing is on disk.

    Raises:
        Exception: whatever ``content`` raises, at the end of the ``with`` block: DuckDB took it for the end of the file.
    """
    reader, writer = os.pipe()
    failed: list[BaseException] = []

    def write() -> None:
        try:
            with os.fdopen(writer, "wb", buffering=0) as file:
                for chunk in content:
                    left = memoryview(chunk)
                    while left:
                        left = left[file.write(left) :]
        except BrokenPipeError:
            pass  # The reader has given up, and says why.
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=write, daemon=True)
    thread.start()
    try:
        yield f"{PIPES}{reader}"
    finally:
        os.close(reader)
        thread.join()
        if failed:
            raise failed[0]


def _text(block: bytes) -> bytes:
    """``block`` as UTF-8: what is none is replaced. One wrong byte would otherwise cost the whole table."""
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return block.decode("utf-8", "replace").encode()
    return block


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """``items``, made in a thread of their own while the caller works on those before: one at most is waiting."""
    waiting: queue.Queue[tuple[Item | None, BaseException | None]] = queue.Queue(1)
    stopped = threading.Event()

    def put(item: Item | None, error: BaseException | None = None) -> None:
        while not stopped.is_set():
            try:
                waiting.put((item, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def make() -> None:
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    return
            put(None)
        except BaseException as error:
            put(None, error)

    thread = threading.Thread(target=make, daemon=True)
    thread.start()
    try:
        while True:
            item, error = waiting.get()
            if error is not None:
                raise error
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
