"""The folder of an export: there completely or not at all, for its owner alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from consonance.study.errors import ConsonanceError
from consonance.study.files import sync
from consonance.study.folder import Study
from consonance.study.vault import attach_to_read, lock_down, session_settings

FOLDER_MODE, FILE_MODE = 0o700, 0o600


class CannotExport(ConsonanceError):
    """Nothing was exported: there is nothing to export, it may not be, or it cannot be written there."""


@contextmanager
def new_folder(folder: Path, study: Study) -> Iterator[Path]:
    """Where to write an export that becomes ``folder`` at the end of the block; if the block fails, nothing stays.

    Args:
        folder: It must not exist yet, and not be in the study folder.
        study: Whose data.

    Raises:
        CannotExport: ``folder`` exists, is in the study folder, or cannot be written.
    """
    target = folder.absolute()
    if target.exists() or target.is_symlink():
        raise CannotExport(f"{folder} exists already.", "Name a folder that does not exist yet.")
    if target.resolve().is_relative_to(study.root.resolve()):
        raise CannotExport(
            f"{folder} is in the study folder.",
            "Name a folder outside of it: an export is a copy that you answer for, and no store of the study.",
        )
    draft = target.with_name(f".{target.name}.making")
    try:
        draft.mkdir(mode=FOLDER_MODE, parents=False)
    except OSError as error:
        raise CannotExport(
            f"{draft} cannot be made ({error.strerror}).",
            f"Make the folder {target.parent}, and delete {draft.name} in it if an export was interrupted.",
        ) from None
    try:
        yield draft
        for path in draft.rglob("*"):
            path.chmod(FOLDER_MODE if path.is_dir() else FILE_MODE)
            sync(path)
        draft.rename(target)
        sync(target.parent)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def reading(database: Path, draft: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads ``database`` as ``source``, writes into ``draft``, and reaches nothing else."""
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, database, "source")
        lock_down(connection, [draft])
        yield connection


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write ``content`` as a JSON file for people to read."""
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2, default=str) + "\n", encoding="utf-8")
