"""Child processes that end with the command that started them, whenever it is killed; and its work folder with them."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from pathlib import Path
from typing import TypeVar

import psutil

from consonance.study import guardian

T = TypeVar("T")
SOON_S = 0.05

# The process group of the children that a guardian watches; every child of this program belongs to it.
children_group: ContextVar[int | None] = ContextVar("children_group", default=None)


@contextmanager
def guarded(
    folder: Path | None = None, work: Path | None = None, lock: int | None = None
) -> Iterator[Callable[[str], None]]:
    """End the children of this block, and delete ``work``, when the block ends; if this process is killed, a guardian
    does it (``guardian.py``).

    Args:
        folder: Where ``work`` is, and the release of which the guardian is informed; without it there is no folder.
        work: A folder that must not stay.
        lock: The handle of a lock that the guardian holds until it has cleaned up.

    Yields:
        A function that sends a line to the guardian. Inside a block that is guarded already there is no second guardian:
        the first one deletes a folder around this one.
    """
    if children_group.get() is not None:
        try:
            yield lambda _: None
        finally:
            if folder and work:
                guardian.discard(folder, work, None)
        return
    places = [folder.absolute(), work.absolute()] if folder and work else []
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", guardian.__file__, *places],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[] if lock is None else [lock],
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
        _end_children(process.pid)
        if folder and work:
            guardian.discard(folder, work, sent[-1].split()[1] if sent else None)
        with contextlib.suppress(OSError):
            say("done")
            process.stdin.close()
        process.wait()


@contextmanager
def ending_with_this() -> Iterator[None]:
    """Start children in this block that end with this process. Systems without process groups have no such thing."""
    if children_group.get() is None and hasattr(os, "killpg"):
        with guarded():
            yield
    else:
        yield


@contextmanager
def in_background(work: Callable[[], T]) -> Iterator[Future[T]]:
    """Run ``work`` in another thread during the block. If the block fails, or is interrupted, its children are ended, so
    that it ends too.
    """
    with ending_with_this(), ThreadPoolExecutor(1) as other:
        running = other.submit(copy_context().run, work)
        try:
            yield running
        except BaseException:
            # What the thread is only about to start is in no group yet: once more, until the thread has ended.
            while (group := children_group.get()) and not wait([running], SOON_S).done:
                _end_children(group)
            raise


def _end_children(group: int) -> None:
    """Kill what this process has started in the process group; its leader, the guardian, stays."""
    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error, OSError):
            if child.pid != group and os.getpgid(child.pid) == group:
                child.kill()
