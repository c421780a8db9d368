"""Who may read the files of a study: its owner and no other user of the machine. Releases are for others, and stay as they
are; what else is in ``published/`` is not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from consonance.study.folder import Study

OTHERS = 0o077


def keep_to_owner() -> None:
    """From here on, other users cannot read what this process writes."""
    os.umask(OTHERS)


def open_places(study: Study) -> list[Path]:
    """The files and folders of ``study`` that other users may read, write or enter.

    Links are not followed: what they lead to is not in the study. The key is left out: a key that others could have
    read is refused where it is used.
    """
    return sorted(path for path in _places(study) if stat.S_IMODE(path.lstat().st_mode) & OTHERS)


def close_to_others(study: Study) -> list[str]:
    """Remove the rights of other users.

    Returns:
        The files and folders directly in the study folder that were open, or had something open in them.
    """
    closed = set()
    for path in open_places(study):
        try:
            path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
        except OSError:  # another user's file: it remains a finding of the doctor
            continue
        closed.add(top_of(study, path))
    return sorted(closed)


def close_folders(folders: Iterable[Path]) -> None:
    """Let nobody but their owner enter ``folders``, as far as they are there."""
    for folder in folders:
        with suppress(OSError):  # another user's
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) & ~OTHERS)


def top_of(study: Study, path: Path) -> str:
    """The file or folder directly in the study folder that is ``path``, or contains it; or the study folder itself."""
    return "the study folder" if path == study.root else study.within(path).split("/")[0]


def _places(study: Study) -> Iterator[Path]:
    keys = (study.key_path, study.new_key_path, study.old_key_path)
    yield study.root
    for folder, folders, files in os.walk(study.root):
        inside = [Path(folder, name) for name in (*folders, *files)]
        yield from (path for path in inside if not (path.is_symlink() or path in keys or _is_for_others(study, path)))
        if Path(folder) == study.published:
            # What is inside a folder that others cannot enter may be made as it will be published.
            folders[:] = []


def _is_for_others(study: Study, path: Path) -> bool:
    return path == study.published or (path.parent == study.published and path.name.isdecimal())
