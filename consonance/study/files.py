"""Writing and deleting files so that each is there completely or not at all, whenever the program is killed."""

from __future__ import annotations

import hashlib
import os
import shutil
from contextlib import suppress
from pathlib import Path


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replace the file ``path`` in one step. When this returns, ``content`` is on the disk.

    Args:
        path: The file; it need not exist.
        content: Its whole new content.
        mode: Who may read and write it.

    Raises:
        OSError: it cannot be written; nothing is left of the new content.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from None
    sync(path.parent)


def printable(name: str) -> str:
    """The name of a file, with ``?`` for bytes in it that are no UTF-8: those can be neither printed nor stored."""
    return name.encode("utf-8", "replace").decode("utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of the content of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sync(path: Path) -> None:
    """Wait until the content of a file, or the list of files of a folder, is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def log_of(database: Path) -> Path:
    """Where DuckDB keeps what it has not yet written into the file of a database."""
    return database.with_name(f"{database.name}.wal")


def remove_database(database: Path) -> None:
    """Delete the file of a database and its log, if they exist."""
    for path in (database, log_of(database)):
        path.unlink(missing_ok=True)


def remove_within(root: Path, path: Path) -> bool:
    """Delete the file or folder ``path`` if it really is inside the folder ``root``: never what a link leads to.

    Args:
        root: The study folder.
        path: What to delete; it need not exist.

    Returns:
        Whether it is gone.
    """
    if not path.parent.resolve().is_relative_to(root.resolve()):
        return not path.exists()
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
    return not os.path.lexists(path)
