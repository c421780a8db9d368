"""Cleans up after a command that was killed. Runs as a script of its own, with the standard library alone.

Its standard input is a pipe that only the command can write to. The command says ``number N`` before it gives a release
that number, and ``done`` when nothing is left to clean. If the pipe ends without that word, the command is gone:
everything it started (the process group that this script leads) is killed, its work folder goes, and so does the
release ``N`` unless ``current`` beside it points at it. A lock that this script has inherited is held until then.

    guardian.py [FOLDER WORK]
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from pathlib import Path

PATIENCE_S = 30.0


def discard(folder: Path, work: Path, number: str | None) -> None:
    """Remove ``work``, and the release ``number`` of ``folder`` unless it is the current one."""
    if number is not None and not is_current(folder, number):
        shutil.rmtree(folder / number, ignore_errors=True)
    until = time.monotonic() + PATIENCE_S
    # What was just killed may still be in the midst of making a file.
    while work.exists() and time.monotonic() < until:
        shutil.rmtree(work, ignore_errors=True)
        time.sleep(0.02)


def is_current(published: Path, number: str) -> bool:
    """Whether ``published/current`` points at the release ``number``."""
    try:
        return os.readlink(published / "current") == number  # noqa: PTH115
    except OSError:
        return False


def main() -> None:
    places = [Path(argument) for argument in sys.argv[1:]]
    said = sys.stdin.read().split()
    if "done" in said:
        return
    number = said[said.index("number") + 1] if "number" in said else None
    group = os.getpgid(0)
    # The leader of a group cannot leave it: a child does, and outlives what it kills.
    if os.fork() == 0:
        os.setpgid(0, 0)
        os.killpg(group, signal.SIGKILL)
        if places:
            folder, work = places
            discard(folder, work, number)


if __name__ == "__main__":
    main()
