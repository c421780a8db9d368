"""Another key for the vault: everything is written into a fresh file under it, which then takes the old one's place.

Two files change places, the vault and its key, and no file system can do both at once. So:

1. ``vault.key.old`` keeps the old key.
2. ``vault.duckdb.new`` is written under the new key, closed, opened again from the disk and compared.
3. ``vault.key.new`` holds the new key; from here on both vaults can be opened.
4. ``vault.duckdb.new`` becomes ``vault.duckdb``.
5. ``vault.key.new`` becomes ``vault.key``.
6. The vault is opened with its key file, and ``vault.key.old`` goes.

Killed before 4, the study has its old vault and key, and the next rotation clears what is left. Killed
between 4 and 5, whoever opens the vault next finds that only ``vault.key.new`` opens it and does 5
(``stores.vault.attach_vault``).
"""

from __future__ import annotations

import os
import secrets
import shutil
import stat
from dataclasses import dataclass

import duckdb

from stores.audit_log import anchor, record
from stores.errors import ConsonanceError
from stores.files import replace_file, sync_folder
from stores.key import KEY_VARIABLE, read_key
from stores.study import Study
from stores.vault import VAULT, attach_under_key, attach_vault, lock_down, open_study, prepare, session_settings

# The rows of every table and a sum of their hashes, in whatever order they lie.
Contents = dict[str, tuple[int, int]]


class RotationFailed(ConsonanceError):
    """The vault was not given another key; vault and key are as they were."""


@dataclass(frozen=True)
class Rotation:
    """What was written anew: tables and rows."""

    tables: int
    rows: int


def rotate_key(study: Study) -> Rotation:
    """Re-encrypt the vault of ``study`` under a new random key.

    Needs room for a second vault beside the first. Nobody else can write to the vault meanwhile. If it
    is killed, it is simply run again.

    Raises:
        RotationFailed: the key comes from the environment, the disk is too full, or the copy differs.
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    if KEY_VARIABLE in os.environ:
        raise RotationFailed(
            f"The key comes from ${KEY_VARIABLE}, which this program cannot change.",
            f"Write the key into {study.key_path} with mode 0600, unset {KEY_VARIABLE}, and try again.",
        )
    with open_study(study) as connection:
        connection.execute("checkpoint vault")
    _clear(study)
    _refuse_full_disk(study)
    key = secrets.token_hex(32)
    with duckdb.connect(config=session_settings()) as connection:
        # Open until the end, so that nobody writes to the vault whose copy takes its place. The copy is
        # attached as "vault": defaults and views of the vault name it so.
        prepare(connection, study)
        attach_vault(connection, study, "old", read_only=True)
        replace_file(study.old_key_path, f"{read_key(study)}\n".encode())
        try:
            before = _copy(connection, study, key)
        except BaseException:
            _clear(study)
            raise
        _step("copied")
        replace_file(study.new_key_path, f"{key}\n".encode())
        _step("new key written")
        study.new_vault_path.replace(study.vault_path)
        sync_folder(study.root)
        _step("vault replaced")
        study.new_key_path.replace(study.key_path)
        sync_folder(study.root)
        _step("key replaced")
    with open_study(study) as connection:
        anchor(connection, study)
    _step("opened")
    study.old_key_path.unlink()
    return Rotation(len(before), sum(rows for rows, _ in before.values()))


def contents(connection: duckdb.DuckDBPyConnection, name: str) -> Contents:
    """Of every table of the database ``name``: its rows, and a sum of their hashes.

    The audit log is left out: a copy's log says that it was copied.
    """
    tables = connection.execute(
        """
        select format('"{}"."{}"', schema_name, table_name)
        from duckdb_tables()
        where database_name = $name and not internal and table_name <> 'audit_log'
        order by all
        """,
        {"name": name},
    ).fetchall()
    found: Contents = {}
    for (table,) in tables:
        ((rows, hashes),) = connection.execute(
            f"select count(*), cast(coalesce(sum(hash(whole_row)), 0) as hugeint) from {name}.{table} as whole_row"
        ).fetchall()
        found[table] = (rows, hashes)
    return found


def _copy(connection: duckdb.DuckDBPyConnection, study: Study, key: str) -> Contents:
    """Write the copy, note it in its audit log, and compare what the disk then holds.

    Raises:
        RotationFailed: the copy is not what it was copied from.
    """
    attach_under_key(connection, study.new_vault_path, VAULT, key)
    study.new_vault_path.chmod(stat.S_IMODE(study.vault_path.stat().st_mode))
    lock_down(connection, [])
    _step("begun")
    connection.execute(f"copy from database old to {VAULT}")
    _step("half copied")
    before = contents(connection, "old")
    record(connection, study, "key_rotated", {"tables": len(before), "rows": sum(rows for rows, _ in before.values())})
    others = (_other_parts(connection, "old"), _other_parts(connection, VAULT))
    connection.execute(f"checkpoint {VAULT}")
    connection.execute(f"detach {VAULT}")
    with duckdb.connect(config=session_settings()) as fresh:
        prepare(fresh, study)
        attach_under_key(fresh, study.new_vault_path, VAULT, key, read_only=True)
        after = contents(fresh, VAULT)
    if before != after or others[0] != others[1]:
        raise RotationFailed(
            "The copy of the vault under the new key is not the same as the vault.",
            "Nothing was changed. Check the disk, then try again.",
        )
    return before


def _other_parts(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, int | None]]:
    """Sequences with where they stand, views, and how many constraints there are."""
    return connection.execute(
        """
        select sequence_name, last_value from duckdb_sequences() where database_name = $name
        union all
        select schema_name || '.' || view_name, null from duckdb_views() where database_name = $name and not internal
        union all
        select 'constraints', count(*) from duckdb_constraints() where database_name = $name
        order by all
        """,
        {"name": name},
    ).fetchall()


def _clear(study: Study) -> None:
    """Remove what a rotation left that did not get as far as the vault's place; the key before its vault."""
    new = study.new_vault_path
    for path in (study.new_key_path, new, new.with_name(f"{new.name}.wal"), study.old_key_path):
        path.unlink(missing_ok=True)
        sync_folder(study.root)


def _refuse_full_disk(study: Study) -> None:
    needed = study.vault_path.stat().st_size * 11 // 10
    free = shutil.disk_usage(study.root).free
    if free < needed:
        raise RotationFailed(
            f"A second vault needs {needed >> 20:,} MiB beside the first, and {free >> 20:,} MiB are free.",
            "Make room on that disk, and try again.",
        )


def _step(name: str) -> None:
    """Where a rotation can be killed; tests do."""
