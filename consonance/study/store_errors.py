"""What DuckDB says of a store that it cannot open or read, in words of this project.

Of its messages only names are passed on: the file, the program that has it open, a table or column that is not there.
"""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from consonance.study.errors import ConsonanceError

# How DuckDB says that another process has a file open.
LOCKED = re.compile(r'set lock on file "(?P<file>.+?)"(?:.*?held in (?P<program>.+?) \(PID (?P<pid>\d+)\))?', re.DOTALL)
FILE = re.compile(r'file "(?P<file>[^"]+)"')
FULL = re.compile(r"No space left|disk is full|File too large|Disk quota", re.IGNORECASE)
# The system's words; a path stands before them.
DENIED = re.compile(r"(Permission denied|Read-only file system|Operation not permitted)\W*$", re.MULTILINE)
# The words with which it begins to say that the pages of a file are not what was written.
DAMAGED = re.compile(
    r"AES tag|[Cc]hecksum|[Cc]orrupt|read enough bytes|[Ff]ailed to deserialize|not a valid DuckDB|database has been invalidated|"
    r"Failed to (?:load|read) metadata"
)
OF_THE_VAULT = re.compile(r"AES tag")
# Of a statement of the project: it is right for stores that are as this version makes them.
LACKS = (duckdb.CatalogException, duckdb.BinderException)
MISSING = re.compile(r'(?P<kind>Table|View|Scalar Function|Macro) with name "?(?P<name>[\w.]+)"?')


class StoreError(ConsonanceError):
    """A store of the study cannot be opened."""


class StoreInUse(StoreError):
    """Another program has the store open; it can be opened after that program has ended."""

    @classmethod
    def said_by(cls, message: str, path: Path | None = None) -> StoreInUse | None:
        """What a message of DuckDB says about a lock, if it is about one: the file, the program that has it open, its
        number. Nothing else of the message is passed on. ``path``: the file, as it was given."""
        said = LOCKED.search(message)
        if said is None:
            return None
        holder = f": {Path(said['program']).name} (process {said['pid']})" if said["pid"] else ""
        return cls(
            f"{path or said['file']} is in use by another program{holder}.",
            "Wait until that 'consonance' or 'dbt' command has ended, or close the session that has it open. "
            "To query while dbt runs, open analysis.duckdb ('consonance sql').",
        )


class NoRight(StoreError):
    """This user may not read the store, or not write to it."""

    @classmethod
    def said_by(cls, message: str, path: Path | str) -> NoRight | None:
        """What a message of DuckDB says about a missing right to the store ``path``, if it is about one."""
        if DENIED.search(message) is None:
            return None
        return cls(
            f"{path} cannot be opened: permission denied.",
            "Run the command as the owner of the file, or give yourself the right. Who asks the marts alone needs the desk "
            "('consonance sql').",
        )


def store_error(error: duckdb.Error) -> StoreError | None:
    """What ``error`` says about a store, if it is about one: it is locked, damaged, or lacks a table; or the disk is full."""
    message = str(error)
    if in_use := StoreInUse.said_by(message):
        return in_use
    named = FILE.search(message)
    file = named["file"] if named else "vault.duckdb" if OF_THE_VAULT.search(message) else "A store of the study"
    if denied := NoRight.said_by(message, file):
        return denied
    if FULL.search(message):
        return StoreError(
            f"{file} cannot be written: the disk is full.", "Make room on the disk, then run the command again."
        )
    if DAMAGED.search(message):
        return StoreError(
            f"{file} cannot be read: it is damaged.",
            "Restore vault.duckdb from a backup; 'dbt run' makes warehouse.duckdb and analysis.duckdb again.",
        )
    if isinstance(error, LACKS):
        missing = MISSING.search(message)
        name = f"{missing['kind'].lower()} {missing['name']}" if missing else "table or column that the command reads"
        return StoreError(
            f"A store of the study lacks the {name}: it is of another version, or another program changed it.",
            "Run 'consonance load', then 'dbt run'. If that does not help, restore the store from a backup.",
        )
    return None
