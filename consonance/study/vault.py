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

from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.key import adopt_pending_key, pending_key, read_key
from consonance.study.literals import literal
from consonance.study.memory import memory_limit
from consonance.study.migrations import refuse_newer_stores
from consonance.study.schema import refuse_older_stores
from consonance.study.shared_macros import with_macros
from consonance.study.store_errors import NoRight, StoreError, StoreInUse
from consonance.study.tombstones import refuse_stale_backup

MEMORY_FOLDER = "memory://consonance/"
# What this process has open: a dump is handed to DuckDB by a pipe.
PIPES = "/dev/fd/"
# Small row groups are compressed and written by the thread that lands a donation; a donation that
# fills none (DuckDB's default is 122,880 rows) would wait in the log and be written a second time.
ROW_GROUP_SIZE = 16384
VAULT = "vault"
CATALOGUE = "catalogue"
MADE_BY_DBT = ("warehouse.duckdb", "analysis.duckdb")
# A query: the settings that are not as they must be where the vault is attached.
UNFIT_SETTINGS = with_macros("{{ unfit_settings(false) }}", ["connections.sql"])


class UnfitConnection(StoreError):
    """DuckDB is set so that it may leave what it reads on the disk, or on the network."""


class WrongKey(StoreError):
    """The key is not that of this vault."""


@contextmanager
def open_study(
    study: Study,
    *,
    read_only: bool = False,
    writes_catalogue: bool = False,
    threads: int | None = None,
    may_be_stale: bool = False,
    warehouse: bool = False,
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the study's vault and catalogue attached, and no way to any other file.

    Args:
        study: Whose stores to open.
        read_only: Attach both without the right to write.
        writes_catalogue: Attach the catalogue with the right to write, to lay out both. What lands in it, lands by
            ``open_catalogue``. Without it, many may read it at once.
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
        attach_study(
            connection, study, read_only=read_only, writes_catalogue=writes_catalogue, may_be_stale=may_be_stale
        )
        if warehouse:
            attach_warehouse(connection, study)
        # Before locking: DuckDB decides what an allowed folder is by the file systems it knows then.
        connection.register_filesystem(fsspec.filesystem("memory"))
        lock_down(connection, [MEMORY_FOLDER])
        yield connection
    finally:
        connection.close()


@contextmanager
def open_catalogue(study: Study) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that writes the catalogue, and has no vault: what people heard cannot decide what lands in it.

    The catalogue is not encrypted. It must have been laid out, and be attached nowhere else in this process: DuckDB
    would not notice.

    Raises:
        StoreError: see ``open_study``.
    """
    connection = duckdb.connect(config=session_settings())
    try:
        prepare(connection, study)
        attach_to_write(connection, study.catalogue_path, CATALOGUE)
        connection.register_filesystem(fsspec.filesystem("memory"))
        lock_down(connection, [MEMORY_FOLDER, PIPES])
        yield connection
        connection.execute(f"checkpoint {CATALOGUE}")
    finally:
        connection.close()


# What DuckDB is told before a vault is attached. Some of it holds for every session.
PRIVATE = {
    "autoinstall_known_extensions": False,
    "allow_community_extensions": False,
    "allow_persistent_secrets": False,
    "enable_external_file_cache": False,
}


def session_settings() -> dict[str, str | bool | int | float | list[str]]:
    """The settings every connection starts from: what DuckDB may use, and what it may not fetch.

    Raises:
        BadMemoryLimit: see ``memory_limit``.
    """
    return {"memory_limit": memory_limit(), **PRIVATE}


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
    for name, value in PRIVATE.items():
        connection.execute(f"SET {name} = {value}")
    connection.execute(f"LOAD {literal(_extension('httpfs'))}")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET temp_file_encryption = true")
    connection.execute(f"SET temp_directory = {literal(study.spill)}")


def attach_vault(
    connection: duckdb.DuckDBPyConnection, study: Study, name: str = VAULT, *, read_only: bool = False
) -> None:
    """Attach the vault of ``study`` as ``name``, to a connection that is prepared.

    If a rotation of the key was killed after the new vault was in its place and before the new key was,
    this puts the key there.

    Raises:
        StoreError: see ``open_study``.
    """
    try:
        attach_under_key(connection, study.vault_path, name, read_key(study), read_only=read_only)
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
        UnfitConnection: what the connection does with data is not settled.
        StoreError: see ``open_study``.
    """
    if unfit := connection.execute(UNFIT_SETTINGS).fetchall():
        raise UnfitConnection(
            f"{path} was not opened: {', '.join(name for (name,) in unfit)} of DuckDB is not set as it must be.",
            "Look at prepare() in consonance/study/vault.py, and at macros/connections.sql, which says what is right.",
        )
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


def lock_down(
    connection: duckdb.DuckDBPyConnection,
    directories: Iterable[str | os.PathLike[str]],
    files: Iterable[Path] = (),
) -> None:
    """From here on the connection can read and write nothing outside its stores but ``directories`` and ``files``."""
    connection.execute(f"SET allowed_directories = [{', '.join(map(literal, directories))}]")
    connection.execute(f"SET allowed_paths = [{', '.join(map(literal, files))}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _attach(connection: duckdb.DuckDBPyConnection, path: Path, name: str, options: str) -> None:
    try:
        connection.execute(f"ATTACH {literal(path)} AS {name} {options}")
    except duckdb.Error as error:
        # DuckDB's message is not passed on: it may quote the statement, and so the key.
        raise why_not_opened(path, str(error)) from None


def _extension(name: str) -> Path:
    package = Path(next(iter(duckdb_extension_httpfs.__path__)))
    return package / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def why_not_opened(path: Path, message: str) -> StoreError:
    """What to say of the store ``path``, which DuckDB cannot open, from its ``message``: of that nothing is passed on."""
    if in_use := StoreInUse.said_by(message, path):
        return in_use
    if denied := NoRight.said_by(message, path):
        return denied
    if "key" in message.lower():
        return WrongKey(
            f"{path} cannot be opened with this key.",
            "Use the key file that was made together with this vault, or at the last 'consonance key rotate'.",
        )
    if not path.exists():
        return StoreError(f"{path} does not exist.", "Load the study first: 'consonance load'.")
    return StoreError(
        f"{path} cannot be opened: it is damaged, or written by another version of DuckDB.",
        "Move it away, then run 'dbt run': it is made again."
        if path.name in MADE_BY_DBT
        else "Restore it from a backup, or move it away and load the inbox again.",
    )
