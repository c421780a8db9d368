"""Vault and warehouse in fresh files: what was deleted is in none of their pages."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb

from quality.release.registry import WORK_PREFIX
from quality.twin import FOLDER as TWIN
from stores.dbt_command import PARSED, log_folder, run_dbt, target_folder
from stores.files import sync
from stores.fresh_vault import refuse_full_disk, write_afresh
from stores.key import read_key
from stores.study import Study
from stores.vault import attach_vault, open_study, prepare, session_settings


def rewrite_vault(study: Study) -> None:
    """Copy the vault into a fresh file and put that into its place.

    Raises:
        CopyFailed: the disk is too full, or the copy differs; the vault is as it was.
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    for path in (study.new_vault_path, study.new_vault_path.with_name(f"{study.new_vault_path.name}.wal")):
        path.unlink(missing_ok=True)
    refuse_full_disk(study)
    with open_study(study) as connection:
        connection.execute("checkpoint vault")
    with duckdb.connect(config=session_settings()) as connection:
        # Open until the end, so that nobody writes to the vault whose copy takes its place.
        prepare(connection, study)
        attach_vault(connection, study, "old", read_only=True)
        write_afresh(connection, study, read_key(study), lambda copy, contents: None)
        study.new_vault_path.replace(study.vault_path)
        sync(study.root)


def rebuild_warehouse(study: Study) -> None:
    """Remove the warehouse and whatever else was made of the rows, also dbt's artifacts; let dbt make it anew.

    Raises:
        DbtFailed: it ended with an error; there is no warehouse then.
    """
    for path in (study.warehouse_path, study.warehouse_path.with_name(f"{study.warehouse_path.name}.wal")):
        path.unlink(missing_ok=True)
    remains = [
        *study.root.glob(f"{TWIN}*"),
        *study.published.glob(f"{WORK_PREFIX}*"),
        study.root / ".spill",
        study.site,
    ]
    for folder in (*remains, log_folder()):
        shutil.rmtree(folder, ignore_errors=True)
    _clear_artifacts(target_folder())
    run_dbt(study, "run")


def _clear_artifacts(target: Path) -> None:
    """Remove what dbt compiled and ran; what it parsed of the project itself tells of nobody, and stays."""
    for path in target.iterdir() if target.exists() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != PARSED:
            path.unlink()
