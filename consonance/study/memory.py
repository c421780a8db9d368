"""How much memory DuckDB may use, in every command and in dbt: one rule, for the machine or the container that it runs in.

What exceeds the limit is written to ``.spill`` in the study folder, encrypted: it takes longer, and gives the same. A
limit is a matter of the machine and not of the study, whose folder moves between machines: it is an environment variable.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import psutil

from consonance.study.errors import ConsonanceError

MEMORY_VARIABLE = "CONSONANCE_MEMORY_LIMIT"
SETTING = re.compile(r"[1-9]\d*(?:\.\d+)?\s*(?:MiB|GiB|TiB|MB|GB|TB)", re.IGNORECASE)
# Of the memory that there is; the other half is for Python, for what DuckDB does not count, and for other programs.
SHARE = 0.5
# With less, DuckDB fails at joins of wide rows instead of spilling them; but never more than most of what there is.
FLOOR_MIB, MOST = 1024, 0.8
CONTROL_GROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class BadMemoryLimit(ConsonanceError):
    """The setting is no amount of memory."""


def memory_limit() -> str:
    """DuckDB's ``memory_limit`` for this process.

    Raises:
        BadMemoryLimit: see ``limit_of``.
    """
    there = min([psutil.virtual_memory().total, *group_limits()])
    return limit_of(there, os.environ.get(MEMORY_VARIABLE))


def limit_of(there: int, setting: str | None = None) -> str:
    """``setting`` if there is one, else a share of the memory.

    Args:
        there: Bytes that the machine has, or that the container may use.
        setting: Such as ``8GiB``; nothing if it is ``None`` or empty.

    Raises:
        BadMemoryLimit: ``setting`` is no amount of memory.
    """
    if setting:
        if not SETTING.fullmatch(setting.strip()):
            raise BadMemoryLimit(
                f"{MEMORY_VARIABLE} is no amount of memory.", "Write a number and a unit, such as 8GiB, or unset it."
            )
        return setting.strip()
    mib = there / (1 << 20)
    return f"{int(min(max(SHARE * mib, FLOOR_MIB), MOST * mib))}MiB"


def group_limits(root: Path = CONTROL_GROUPS, own: Path = OWN_GROUPS) -> list[int]:
    """The limits in bytes of the control groups that this process is in, of Linux' cgroups 2 or 1.

    Args:
        root: Where the control groups are mounted.
        own: The list of those that this process is in, one ``number:controllers:path`` a line (cgroups(7)).
    """
    limits = []
    for file in _limit_files(root, own):
        try:
            limits.append(int(file.read_text(encoding="ascii")))
        except (OSError, ValueError):  # there is none: cgroups 2 write "max"
            continue
    return limits


def _limit_files(root: Path, own: Path) -> Iterator[Path]:
    """Where limits may be written: of each group, and of those that it is part of."""
    try:
        groups = [line.split(":", 2)[1:] for line in own.read_text(encoding="utf-8").splitlines()]
    except OSError:  # no Linux
        return
    for controllers, path in groups:
        if controllers not in ("", "memory"):
            continue
        mounted, name = (root / "memory", "memory.limit_in_bytes") if controllers else (root, "memory.max")
        group = Path(path.lstrip("/"))
        # In a container the path may be that of the machine, and the group itself is what is mounted.
        for part in (group, *group.parents):
            yield mounted / part / name
