"""Folders in the study folder that hold copies of its stores, or drafts, while a command runs, and no longer."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from consonance.study.child_processes import guarded
from consonance.study.folder import Study

PAIRED_REBUILD = ".paired-rebuild-"
DRY_LOAD = ".dry-load-"
SHARD_LOAD = ".shard-load-"
SITE = ".site-"
# Version 0.1 called the folder of a paired rebuild so.
OLD_PAIRED_REBUILD = ".twin-"
NAMES = (PAIRED_REBUILD, OLD_PAIRED_REBUILD, DRY_LOAD, SHARD_LOAD, SITE)


def left_folders(study: Study) -> list[Path]:
    """Those that are there: of a command that is running, or that was killed together with its guardian."""
    return [path for name in NAMES for path in sorted(study.root.glob(f"{name}*"))]


def is_own(within: str) -> bool:
    """Whether a path within a study is in a work folder of this process."""
    return within.partition("/")[0] in map(_own, NAMES)


@contextmanager
def work_folder(study: Study, name: str) -> Iterator[Path]:
    """The path of a new folder in the study, which begins with ``name``. It is deleted in the end, also if this process is
    killed; what others have left is deleted now.
    """
    for left in left_folders(study):
        owner = left.name.rpartition("-")[2]
        if not owner.isdecimal() or not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    root = study.root / _own(name)
    with guarded(study.root, root):
        yield root


def _own(name: str) -> str:
    """What the work folder of this process is called that begins with ``name``."""
    return f"{name}{os.getpid()}"
