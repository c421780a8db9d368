"""Vault and warehouse in fresh files: no page of them holds what was deleted."""

from __future__ import annotations

from pathlib import Path

import duckdb

from consonance.release.register import WORK_PREFIX
from consonance.study.dbt_command import clear_artifacts, run_dbt
from consonance.study.files import remove_database, remove_within, sync
from consonance.study.folder import Study
from consonance.study.fresh_vault import refuse_full_disk, write_copy
from consonance.study.key import read_key
from consonance.study.vault import attach_vault, open_study, prepare, session_settings
from consonance.study.work_folders import left_folders


def rewrite_vault(study: Study) -> None:
    """Copy the vault into a fresh file and replace the vault by it.

    Raises:
        CopyFailed: the disk is too full, or the copy differs; the vault is as it was.
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    remove_database(study.new_vault_path)
    refuse_full_disk(study)
    with open_study(study) as connection:
        connection.execute("checkpoint vault")
    with duckdb.connect(config=session_settings()) as connection:
        # Open until the end, so that nobody writes to the vault while its copy is made.
        prepare(connection, study)
        attach_vault(connection, study, "old", read_only=True)
        write_copy(connection, study, read_key(study), lambda copy, contents: None)
        study.new_vault_path.replace(study.vault_path)
        sync(study.root)


def rebuild_warehouse(study: Study) -> None:
    """Remove the warehouse and whatever else was made of the rows, also dbt's artifacts; dbt builds the warehouse again.

    The desk is there until dbt replaces it, so that nobody who opens it meanwhile fails; if dbt does not, it is removed.

    Raises:
        DbtFailed: dbt ended with an error; there is neither warehouse nor desk then.
    """
    remove_database(study.warehouse_path)
    remove_database(study.new_desk_path)
    _clear_remains(study)
    before = _inode(study.desk_path)
    try:
        run_dbt(study, "run")
    finally:
        if _inode(study.desk_path) == before:
            remove_database(study.desk_path)


def _inode(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def _clear_remains(study: Study) -> None:
    """Remove what was made of the rows outside the stores, also what dbt wrote."""
    remains = [
        *left_folders(study),
        *study.published.glob(f"{WORK_PREFIX}*"),
        study.spill,
        study.shards,
        # What clients write to disk in between, beside the file that they have open.
        *(store.with_name(f"{store.name}.tmp") for store in (study.warehouse_path, study.desk_path)),
        study.site,
    ]
    for path in remains:
        remove_within(study.root, path)
    clear_artifacts()
