"""The place where a release is made: locked against a second publish, watched by a guardian, emptied in the end."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import portalocker

from consonance.release import guardian
from consonance.study.dbt_command import children_group
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
def watched(published: Path, work: Path, lock: int) -> Iterator[Callable[[str], None]]:
    """Clean up ``work`` in the end. If this process is killed, a guardian does it (``guardian.py``).

    Yields a function that sends a line to the guardian. Every dbt that is started meanwhile belongs to the
    guardian's process group.
    """
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, published, work],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[lock],
        process_group=0,
        cwd="/",
        text=True,
    )
    assert process.stdin is not None
    sent: list[str] = []

    def say(line: str) -> None:
        assert process.stdin is not None
        sent.append(line)
        process.stdin.write(f"{line}\n")
        process.stdin.flush()

    token = children_group.set(process.pid)
    try:
        yield say
    finally:
        children_group.reset(token)
        number = sent[-1].split()[1] if sent else None
        guardian.discard(published, work, number)
        with contextlib.suppress(OSError):
            say("done")
            process.stdin.close()
        process.wait()


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
