"""The place where a release is made: locked against a second publish, and where temporary files go."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import portalocker

from consonance.study.errors import ConsonanceError

LOCK_PATIENCE_S = 5.0


class PublishBusy(ConsonanceError):
    """Another publish is under way."""


@contextmanager
def locked(published: Path) -> Iterator[int]:
    """Keep a second publish away. The lock is on the folder itself, so that no file is needed for it.

    Raises:
        PublishBusy: another publish has the lock for longer than ``LOCK_PATIENCE_S``.
    """
    handle = os.open(published, os.O_RDONLY | os.O_DIRECTORY)
    until = time.monotonic() + LOCK_PATIENCE_S
    try:
        while True:
            try:
                portalocker.lock(handle, portalocker.LOCK_EX | portalocker.LOCK_NB)
                break
            except portalocker.LockException:
                if time.monotonic() > until:
                    raise PublishBusy(
                        f"Another publish of this study is running (it has locked {published}).",
                        "Wait until it has ended.",
                    ) from None
                time.sleep(0.05)
        yield handle
    finally:
        os.close(handle)


@contextmanager
def temporary_files_in(folder: Path) -> Iterator[None]:
    """Have whatever writes temporary files, here or in a child, write them to ``folder``."""
    folder.mkdir()
    before = os.environ.get("TMPDIR"), tempfile.tempdir
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before[1]
        if before[0] is None:
            del os.environ["TMPDIR"]
        else:
            os.environ["TMPDIR"] = before[0]
