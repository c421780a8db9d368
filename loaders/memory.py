"""Files in memory: handing bytes to DuckDB, which by then reaches no other file."""

from __future__ import annotations

import ctypes
import platform
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import fsspec

from consonance.study.vault import MEMORY_FOLDER


@contextmanager
def in_memory(content: bytes, suffix: str) -> Iterator[str]:
    """The address under which DuckDB reads ``content`` within the ``with`` block."""
    files = fsspec.filesystem("memory")
    address = f"{MEMORY_FOLDER}{uuid.uuid4().hex}{suffix}"
    files.pipe_file(address, content)
    try:
        yield address
    finally:
        files.rm_file(address)


def keep_freed_memory() -> None:
    """Let this process keep large blocks it has freed, to use them again.

    Each member is unpacked into a block of some 13 MB. glibc hands such blocks back to the kernel
    at once and has every page cleared again for the next one, which cost a load a sixth of its
    time. The parameters are M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of mallopt(3).
    """
    if platform.libc_ver()[0] == "glibc":
        library = ctypes.CDLL(None)
        library.mallopt(-1, 1 << 30)
        library.mallopt(-3, 1 << 25)  # the most that older releases accept
