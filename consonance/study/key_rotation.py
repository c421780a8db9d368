"""Rotating the key: the vault is copied into a fresh file under a new key, which replaces the old file.

Two files are replaced, the vault and its key, and no file system can do both in one step. So:

1. ``vault.key.old`` gets the old key.
2. ``vault.duckdb.new`` is written under the new key, closed, opened again from the disk and compared.
3. ``vault.key.new`` gets the new key; from here on both vaults can be opened.
4. ``vault.duckdb.new`` replaces ``vault.duckdb``.
5. ``vault.key.new`` replaces ``vault.key``.
6. The vault is opened with its key file, and ``vault.key.old`` is deleted.

An interrupt before 3 ends the rotation: old vault and key are there, and nothing else is left. From 3 on it waits until
everything is done. If the program is killed before 4, the study has its old vault and key, and the next rotation deletes the rest. If it
is killed between 4 and 5, the next command that opens the vault finds that only ``vault.key.new`` opens it, and does 5
(``consonance.study.vault.attach_vault``).
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import duckdb

from consonance.study.audit_log import anchor, record
from consonance.study.errors import ConsonanceError
from consonance.study.files import log_of, replace_file, sync
from consonance.study.folder import Study
from consonance.study.fresh_vault import Contents, refuse_full_disk, write_copy
from consonance.study.key import KEY_VARIABLE, read_key
from consonance.study.tombstones import refuse_unfinished
from consonance.study.vault import attach_vault, open_study, prepare, session_settings


class KeyFromOutside(ConsonanceError):
    """The key is not in the study's key file, so it cannot be changed."""


class ShardsUnderOldKey(ConsonanceError):
    """Shards of a load are not merged: they would stay under the old key."""


@dataclass(frozen=True)
class Rotation:
    """How many tables and rows were copied."""

    tables: int
    rows: int


def rotate_key(study: Study, hold_interrupts: Callable[[], object] = lambda: None) -> Rotation:
    """Re-encrypt the vault of ``study`` under a new random key.

    The disk needs room for a second vault beside the first. Nobody else can write to the vault meanwhile. If it
    is killed, run it again.

    Args:
        study: Whose vault.
        hold_interrupts: Is called when the copy is right, before anything is replaced: lets interrupts wait.

    Raises:
        KeyFromOutside: the key comes from the environment.
        ShardsUnderOldKey: shards of a load are not merged.
        WithdrawalUnfinished: a withdrawal was interrupted, and its erasure record is under the old key.
        CopyFailed: the disk is too full, or the copy differs; vault and key are as they were.
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    if KEY_VARIABLE in os.environ:
        raise KeyFromOutside(
            f"The key comes from ${KEY_VARIABLE}, which this program cannot change.",
            f"Write the key into {study.key_path} with mode 0600, unset {KEY_VARIABLE}, and try again.",
        )
    refuse_unfinished(study)
    if study.shards.exists():
        raise ShardsUnderOldKey(
            f"There are shards in {study.shards}, which are encrypted with the key that is to be replaced.",
            "Run 'consonance load --merge', or delete the folder, and try again.",
        )
    with open_study(study) as connection:
        connection.execute("checkpoint vault")
    _clear(study)
    refuse_full_disk(study)
    key = secrets.token_hex(32)
    with duckdb.connect(config=session_settings()) as connection:
        # Open until the end, so that nobody writes to the vault while its copy is made.
        prepare(connection, study)
        attach_vault(connection, study, "old", read_only=True)
        try:
            replace_file(study.old_key_path, f"{read_key(study)}\n".encode())
            before = write_copy(connection, study, key, partial(_note, study), _step)
            _step("copied")
            hold_interrupts()
        except BaseException:
            _clear(study)
            raise
        replace_file(study.new_key_path, f"{key}\n".encode())
        _step("new key written")
        study.new_vault_path.replace(study.vault_path)
        sync(study.root)
        _step("vault replaced")
        study.new_key_path.replace(study.key_path)
        sync(study.root)
        _step("key replaced")
    with open_study(study) as connection:
        anchor(connection, study)
    _step("opened")
    study.old_key_path.unlink()
    return Rotation(len(before), sum(rows for rows, _ in before.values()))


def _note(study: Study, connection: duckdb.DuckDBPyConnection, copied: Contents) -> None:
    facts = {"tables": len(copied), "rows": sum(rows for rows, _ in copied.values())}
    record(connection, study, "key_rotated", facts)


def _clear(study: Study) -> None:
    """Delete what an earlier rotation left that did not replace the vault; the key before its vault."""
    new = study.new_vault_path
    for path in (study.new_key_path, new, log_of(new), study.old_key_path):
        path.unlink(missing_ok=True)
        sync(study.root)


def _step(name: str) -> None:
    """Where a rotation can be killed; tests do."""
