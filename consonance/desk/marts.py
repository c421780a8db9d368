"""The marts that can be asked: the desk of a study, or a release. They are opened for reading, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import fsspec

from consonance.release.contents import DATABASE
from consonance.study.desk import LAYERS
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import MEMORY_FOLDER, attach_to_read, lock_down, session_settings


class NothingToAsk(ConsonanceError):
    """There is no desk, or no such release."""


def of_study(study: Study) -> Path:
    """The desk of ``study``.

    Raises:
        NothingToAsk: no run of dbt has written it yet.
    """
    if not study.desk_path.exists():
        raise NothingToAsk(f"{study.desk_path} does not exist.", "Run 'dbt run': each complete run writes it.")
    return study.desk_path


def of_release(name: str, study: Path | None = None) -> Path:
    """The database of a release.

    Args:
        name: The number of a release of the study, ``current``, or a path to a release: its folder or its database.
        study: The study folder; see ``Study.find``. A release that is named by its path needs none.

    Raises:
        NothingToAsk: there is no such release.
        NoStudy: there is no study either.
    """
    is_of_study = name == "current" or name.isdecimal()
    place = Study.find(study).published / name if is_of_study else Path(name)
    database = place / DATABASE if place.is_dir() else place
    if not database.is_file():
        raise NothingToAsk(
            f"There is no release in {place}.", "Name its number, 'current', or the folder that it is in."
        )
    return database


@contextmanager
def opened(database: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection on which ``plays`` means ``marts.plays``. It reads ``database`` and writes into memory, nothing else.

    Raises:
        StoreError: the database cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        connection.execute("set temp_directory = ''; set TimeZone = 'UTC'")
        # By this name dbt's compiled analyses know it.
        attach_to_read(connection, database, "warehouse")
        connection.execute("use warehouse")
        there = {name for (name,) in connection.execute("select distinct schema_name from duckdb_tables()").fetchall()}
        connection.execute(f"set search_path = '{','.join(layer for layer in LAYERS if layer in there)}'")
        connection.register_filesystem(fsspec.filesystem("memory"))
        lock_down(connection, [MEMORY_FOLDER])
        yield connection
