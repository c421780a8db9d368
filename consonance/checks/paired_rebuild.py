"""The paired rebuild: the same study with other identities, for the non-interference test.

In a copy of the vault only the identifying inputs are changed: names, codes, user names, devices, uploads, every
secret of the keyring, and the names of time zones (``ON_STUDY`` of ``relations/declared.py``). Every changed text holds
a word that occurs nowhere else.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from consonance.checks.relations.declared import ON_STUDY
from consonance.study.copies import copy_stores, share_catalogue
from consonance.study.folder import Study
from consonance.study.schema import lay_out_vault, tables
from consonance.study.vault import (
    attach_study,
    attach_vault,
    attach_warehouse,
    lock_down,
    prepare,
    session_settings,
)

# Texts of donated rows that are neither titles nor URIs nor words of lists, and that the SQL changes.
CHANGED = ("platform",)
# The columns of the donated rows that are copied, to be changed in place where they identify. A new text that the
# SQL would not change is not copied, and dbt reports that it is missing.
COPIED = {
    table: tuple(
        column.name for column in tables()[table].columns.values() if column.text != "given" or column.name in CHANGED
    )
    for table in ("extended_plays", "account_plays", "library_items")
}


def make_paired_study(study: Study, root: Path, marker: str) -> Study:
    """Make the study with other identities in the new folder ``root``, ready for dbt.

    Args:
        study: Loaded and built.
        root: Does not exist yet.
        marker: Occurs nowhere in the study; every changed text holds it.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        attach_vault(connection, study, "before", read_only=True)
        attach_warehouse(connection, study)
        paired = copy_stores(study, [study.vault_path], root)
        share_catalogue(study, paired)
        attach_study(connection, paired)
        lock_down(connection, [])
        _empty_but_for_copied(connection)
        connection.execute("set variable marker = $marker", {"marker": marker})
        for relation in ON_STUDY:
            relation.apply(connection)
    return paired


def _empty_but_for_copied(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave nothing in the copied vault but its version, the columns of ``COPIED``, and empty tables."""
    relations = connection.execute(
        """
        select 'view', schema_name, view_name from duckdb_views() where database_name = 'vault' and not internal
        union all
        select 'table', schema_name, table_name from duckdb_tables() where database_name = 'vault'
        """
    ).fetchall()
    for kind, schema, name in relations:
        if schema != "raw" or name not in (*COPIED, "store_version"):
            connection.execute(f'drop {kind} vault."{schema}"."{name}"')
    for table, columns in COPIED.items():
        for (column,) in connection.execute(
            "select column_name from duckdb_columns() where database_name = 'vault' and schema_name = 'raw' and table_name = $table",
            {"table": table},
        ).fetchall():
            if column not in columns:
                connection.execute(f'alter table vault.raw.{table} drop column "{column}"')
    lay_out_vault(connection)
