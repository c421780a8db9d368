"""Opening the stores of a study: the encrypted vault, the catalogue, the warehouse.

No other module attaches the vault. Encryption needs DuckDB's httpfs extension (it brings OpenSSL;
without it DuckDB refuses to write encrypted files), which ships inside a wheel and is loaded from
there: nothing is downloaded.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import duckdb_extension_httpfs
import fsspec
import psutil

from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.key import adopt_pending_key, pending_key, read_key
from consonance.study.literals import literal
from consonance.study.migrations import refuse_newer_stores
from consonance.study.schema import refuse_older_stores
from consonance.study.tombstones import refuse_stale_backup

MEMORY_FOLDER = "memory://consonance/"
# What this process has open: a dump is handed to DuckDB by a pipe.
PIPES = "/dev/fd/"
# A limit of the study's own, such as 8GiB; else half of the machine's memory.
MEMORY_VARIABLE = "CONSONANCE_MEMORY_LIMIT"
# Small row groups are compressed and written by the thread that lands a donation; a donation that
# fills none (DuckDB's default is 122,880 rows) would wait in the log and be written a second time.
ROW_GROUP_SIZE = 16384
VAULT = "vault"
CATALOGUE = "catalogue"


class StoreError(ConsonanceError):
    """A store of the study cannot be opened."""


class StoreInUse(StoreError):
    """Another program has the store open; it can be opened after that program has ended."""


class WrongKey(StoreError):
    """The key is not that of this vault."""


@contextmanager
def open_study(
    study: Study,
    *,
    read_only: bool = False,
    writes_catalogue: bool = True,
    threads: int | None = None,
    may_be_stale: bool = False,
    warehouse: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the study's vault and catalogue attached, and no way to any other file.

    Args:
        study: Whose stores to open.
        read_only: Attach both without the right to write.
        writes_catalogue: Attach the catalogue with the right to write. Without it, many may read it at once.
        threads: How many threads a statement may use; as many as there are cores if not given.
        may_be_stale: Open a stale backup too, to erase again what it brought back.
        warehouse: Attach the warehouse as ``warehouse`` too, for reading.

    Raises:
        StoreError: a file is missing, locked by another program, or not to be opened with this key.
        NewerStores: a newer version of the program wrote them.
        StaleBackup: the vault is older than a withdrawal.
        VaultKeyError: see ``read_key``.
    """
    settings = session_settings()
    if threads:
        settings["threads"] = threads
    connection = duckdb.connect(config=settings)
    try:
        attach_study(connection, study, read_only=read_only, writes_catalogue=not read_only, may_be_stale=may_be_stale)
        if warehouse:
            attach_warehouse(connection, study)
        # Before locking: DuckDB decides what an allowed folder is by the file systems it knows then.
        connection.register_filesystem(fsspec.filesystem("memory"))
        lock_down(connection, [MEMORY_FOLDER, *([PIPES] if writes_catalogue and not read_only else [])])
        yield connection
    finally:
        connection.close()


def session_settings() -> dict[str, str | bool | int | float | list[str]]:
    """The settings every connection starts from: what DuckDB may use, and what it may not fetch."""
    return {
        "memory_limit": os.environ.get(MEMORY_VARIABLE) or f"{psutil.virtual_memory().total >> 21}MiB",
        "autoinstall_known_extensions": False,
        "allow_community_extensions": False,
        "allow_persistent_secrets": False,
        "enable_external_file_cache": False,
    }


def attach_study(
    connection: duckdb.DuckDBPyConnection,
    study: Study,
    *,
    read_only: bool = False,
    writes_catalogue: bool = False,
    may_be_stale: bool = False,
    may_be_older: bool = True,
) -> None:
    """Attach the vault as ``vault`` and the catalogue as ``catalogue``; if one cannot be used, neither stays attached.

    Whatever DuckDB must spill to disk is encrypted and stays inside the study folder.

    Args:
        connection: To attach them to.
        study, read_only, writes_catalogue, may_be_stale: See ``open_study``.
        may_be_older: Whether stores of an older version of the program will do.

    Raises:
        StoreError, NewerStores, StaleBackup: see ``open_study``.
        OlderStores: the next load has to bring the stores to this version.
    """
    prepare(connection, study)
    attach_vault(connection, study, read_only=read_only)
    try:
        refuse_newer_stores(connection)
        if not may_be_stale:
            refuse_stale_backup(connection, study)
        access = "" if writes_catalogue else ", READ_ONLY"
        _attach(connection, study.catalogue_path, CATALOGUE, f"(TYPE duckdb{access})")
        if not may_be_older:
            refuse_older_stores(connection)
    except ConsonanceError:
        for name in (VAULT, CATALOGUE):
            connection.execute(f"DETACH DATABASE IF EXISTS {name}")
        raise


def prepare(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Make a connection fit for encrypted files; what it spills is encrypted too, in the study folder."""
    connection.execute(f"LOAD {literal(_extension('httpfs'))}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET temp_file_encryption = true")
    connection.execute(f"SET temp_directory = {literal(study.root / '.spill')}")


def attach_vault(
    connection: duckdb.DuckDBPyConnection, study: Study, name: str = VAULT, *, read_only: bool = False
) -> None:
    """Attach the vault of ``study`` as ``name``, to a connection that is prepared.

    If a rotation of the key was killed after the new vault was in its place and before the new key was,
    this puts the key there.

    Raises:
        StoreError: see ``open_study``.
    """
    access = ", READ_ONLY" if read_only else ""
    options = f"(ENCRYPTION_KEY '{read_key(study)}', ROW_GROUP_SIZE {ROW_GROUP_SIZE}{access})"
    try:
        _attach(connection, study.vault_path, name, options)
    except WrongKey:
        pending = pending_key(study)
        if pending is None:
            raise
        attach_under_key(connection, study.vault_path, name, pending, read_only=read_only)
        adopt_pending_key(study)


def attach_under_key(
    connection: duckdb.DuckDBPyConnection, path: Path, name: str, key: str, *, read_only: bool = False
) -> None:
    """Attach the encrypted database ``path`` as ``name`` with ``key``, to a connection that is prepared.

    Raises:
        StoreError: see ``open_study``.
    """
    access = ", READ_ONLY" if read_only else ""
    _attach(connection, path, name, f"(ENCRYPTION_KEY '{key}', ROW_GROUP_SIZE {ROW_GROUP_SIZE}{access})")


def attach_warehouse(connection: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Attach the warehouse as ``warehouse``, for reading.

    Raises:
        StoreError: see ``open_study``.
    """
    attach_to_read(connection, study.warehouse_path, "warehouse")


def attach_to_read(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach the unencrypted database ``path`` as ``name``, for reading.

    Raises:
        StoreError: see ``open_study``.
    """
    _attach(connection, path, name, "(READ_ONLY)")


def attach_to_write(connection: duckdb.DuckDBPyConnection, path: Path, name: str) -> None:
    """Attach the unencrypted database ``path`` as ``name``, for writing; it is made if it is not there.

    Raises:
        StoreError: see ``open_study``.
    """
    _attach(connection, path, name, "")


def lock_down(connection: duckdb.DuckDBPyConnection, directories: Iterable[str | os.PathLike[str]]) -> None:
    """From here on the connection can read and write nothing outside its stores but ``directories``."""
    allowed = ", ".join(map(literal, directories))
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str) -> None:
    try:
        connection.execute(f"ATTACH {literal(path)} AS {name} {options}")
    except duckdb.Error as error:
        # DuckDB's message is not passed on: it may quote the statement, and so the key.
        raise _explained(path, str(error)) from None


def _extension(name: str) -> Path:
    package = Path(next(iter(duckdb_extension_httpfs.__path__)))
    return package / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def _explained(path: Path, message: str) -> StoreError:
    if "set lock" in message:
        return StoreInUse(
            f"{path} is in use by another program.",
            "Wait until that 'consonance' or 'dbt' command has ended, or close the session that has it open.",
        )
    if "key" in message.lower():
        return WrongKey(
            f"{path} cannot be opened with this key.",
            "Use the key file that was made together with this vault, or at the last 'consonance key rotate'.",
        )
    if not path.exists():
        return StoreError(f"{path} does not exist.", "Load the study first: 'consonance load'.")
    return StoreError(
        f"{path} cannot be opened: it is damaged, or written by another version of DuckDB.",
        "Restore it from a backup, or move it away and load the inbox again.",
    )
