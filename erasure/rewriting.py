"""Vault and warehouse in fresh files: what was deleted is in none of their pages."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Sequence
from pathlib import Path

import duckdb

from erasure.holdings import People, relations
from quality.release.registry import WORK_PREFIX
from quality.twin import FOLDER as TWIN
from stores.dbt_command import PARSED, log_folder, run_dbt, target_folder
from stores.files import log_of, remove_database, room_for_copy, sync
from stores.fresh_vault import refuse_full_disk, write_afresh
from stores.key import read_key
from stores.last_build import BuiltTable
from stores.study import Study
from stores.vault import (
    attach_to_read,
    attach_to_write,
    attach_vault,
    lock_down,
    open_study,
    prepare,
    session_settings,
)


def rewrite_vault(study: Study) -> None:
    """Copy the vault into a fresh file and put that into its place.

    Raises:
        CopyFailed: the disk is too full, or the copy differs; the vault is as it was.
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    remove_database(study.new_vault_path)
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
    remove_database(study.new_warehouse_path)
    remove_database(study.warehouse_path)
    _clear_remains(study)
    run_dbt(study, "run")


def copy_others(study: Study, kept: Sequence[BuiltTable], people: People) -> bool:
    """Copy the rows of others in ``kept`` into a fresh file, ``warehouse.duckdb.new``.

    Args:
        study: Whose warehouse; its vault is not looked at.
        kept: Tables whose rows rest on one person each, as dbt would make them of the others.
        people: Who is left out.

    Returns:
        Whether it could be done: there may be no such table, or no room for a second warehouse.

    Raises:
        StoreError: the warehouse cannot be opened.
    """
    old, new = study.warehouse_path, study.new_warehouse_path
    remove_database(new)
    if not kept or not old.exists() or log_of(old).exists() or not _has_room_beside(old):
        return False
    # The tables hold words from short lists: to try FSST on them takes a tenth of the time, and saves no byte.
    with duckdb.connect(config=session_settings() | {"disabled_compression_methods": "fsst"}) as connection:
        prepare(connection, study)
        attach_to_read(connection, old, "old")
        attach_to_write(connection, new, "warehouse")
        new.chmod(stat.S_IMODE(old.stat().st_mode))
        lock_down(connection, [])
        return _copy_rows(connection, kept, people)


def narrow_warehouse(study: Study, kept: Sequence[BuiltTable]) -> None:
    """Put what ``copy_others`` made into the warehouse's place, and let dbt make all the other tables.

    Raises:
        DbtFailed: it ended with an error.
    """
    study.new_warehouse_path.replace(study.warehouse_path)
    sync(study.root)
    _clear_remains(study)
    # What is left are many small models: more of them at a time than the cores that DuckDB shares out.
    run_dbt(study, "run", "--no-write-json", "--threads", "4", "--exclude", *(table.model for table in kept))


def spread_features(study: Study) -> None:
    """Let dbt make again whatever takes features of tracks, though it was kept: they have changed.

    Raises:
        DbtFailed: it ended with an error.
    """
    run_dbt(study, "run", "--no-write-json", "--select", "track_features+")


def _has_room_beside(path: Path) -> bool:
    needed, free = room_for_copy(path)
    return free >= needed


def _copy_rows(connection: duckdb.DuckDBPyConnection, kept: Sequence[BuiltTable], people: People) -> bool:
    there = {(table.schema, table.table): table for table in relations(connection, "old")}
    tables = [there.get((table.schema, table.table)) for table in kept]
    connection.execute("use warehouse")
    for table in tables:
        if table is None or table.key is None:
            return False
        ((statement,),) = connection.execute(
            "select sql from duckdb_tables() where database_name = 'old' and schema_name = $schema and table_name = $table",
            {"schema": table.schema, "table": table.table},
        ).fetchall()
        connection.execute(f'create schema if not exists warehouse."{table.schema}"')
        connection.execute(statement)
        connection.execute(
            f'insert into warehouse."{table.schema}"."{table.table}" '
            f"from {table.place} where not list_contains($whose, {table.key})",
            {"whose": table.whose(people)},
        )
    for statement in _comments(connection, kept):
        connection.execute(statement)
    connection.execute("checkpoint warehouse")
    return True


def _comments(connection: duckdb.DuckDBPyConnection, kept: Sequence[BuiltTable]) -> list[str]:
    """Statements that give the tables and columns the descriptions they had."""
    return [
        statement
        for (statement,) in connection.execute(
            """
            select format('comment on table warehouse."{}"."{}" is ''{}''', schema_name, table_name, replace(comment, '''', ''''''))
            from duckdb_tables()
            where database_name = 'old' and comment is not null and list_contains($tables, schema_name || '.' || table_name)
            union all
            select format('comment on column warehouse."{}"."{}"."{}" is ''{}''', schema_name, table_name, column_name, replace(comment, '''', ''''''))
            from duckdb_columns()
            where database_name = 'old' and comment is not null and list_contains($tables, schema_name || '.' || table_name)
            """,
            {"tables": [f"{table.schema}.{table.table}" for table in kept]},
        ).fetchall()
    ]


def _clear_remains(study: Study) -> None:
    """Remove what was made of the rows outside the stores, also what dbt left."""
    remains = [
        *study.root.glob(f"{TWIN}*"),
        *study.published.glob(f"{WORK_PREFIX}*"),
        study.root / ".spill",
        study.site,
    ]
    for folder in (*remains, log_folder()):
        shutil.rmtree(folder, ignore_errors=True)
    _clear_artifacts(target_folder())


def _clear_artifacts(target: Path) -> None:
    """Remove what dbt compiled and ran; what it parsed of the project itself tells of nobody, and stays."""
    for path in target.iterdir() if target.exists() else ():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path.name != PARSED:
            path.unlink()
