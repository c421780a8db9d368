"""Copies of a study's stores, byte for byte, and the catalogue under a second name."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from consonance.study.child_processes import children_group
from consonance.study.files import log_of
from consonance.study.folder import Study


def copy_stores(study: Study, stores: list[Path], folder: Path) -> Study:
    """Copy ``stores`` of ``study`` to ``folder``, byte for byte; the key is linked to.

    The caller has them open, so that nobody writes meanwhile.

    Returns:
        The copy, a study of its own.
    """
    copy = Study(folder)
    folder.mkdir(mode=0o700)
    shutil.copyfile(study.settings_path, copy.settings_path)
    if study.key_path.exists():
        copy.key_path.symlink_to(study.key_path.resolve())
    _copy([path for path in (*stores, *map(log_of, stores)) if path.exists()], folder)
    return copy


def share_catalogue(study: Study, copy: Study) -> None:
    """Give ``copy`` the catalogue of ``study`` to read: the same file, which may have gigabytes, under a second name.

    The file is copied where the file system knows no second names.
    """
    for path in (study.catalogue_path, log_of(study.catalogue_path)):
        if path.exists():
            try:
                os.link(path, copy.root / path.name)
            except OSError:
                _copy([path], copy.root)


def _copy(files: list[Path], folder: Path) -> None:
    """Copy files that this process may have open.

    Another process does it: when a process closes a file, it loses all its POSIX locks on that file, and DuckDB needs
    its locks.
    """
    subprocess.run(["cp", "--", *files, folder], check=True, process_group=children_group.get())
