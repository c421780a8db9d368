"""Files in memory: handing bytes to DuckDB, which by then reaches no other file."""

from __future__ import annotations

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
