"""Writing the vault into a fresh file, in which no page has what was deleted, or encrypted under an older key.

DuckDB's ``DELETE``, ``CHECKPOINT`` and ``VACUUM`` leave deleted values readable in the file. A copy made
with ``COPY FROM DATABASE`` has none. The copy is beside the vault (``vault.duckdb.new``) until the
caller replaces the vault by it.
"""

from __future__ import annotations

import shutil
import stat
from collections.abc import Callable

import duckdb

from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.vault import VAULT, attach_under_key, lock_down, prepare, session_settings

# Of every table the number of rows and the sum of their hashes, which does not depend on their order.
Contents = dict[str, tuple[int, int]]


class CopyFailed(ConsonanceError):
    """The vault was not copied; it is as it was."""


def contents(connection: duckdb.DuckDBPyConnection, name: str) -> Contents:
    """The number of rows, and the sum of their hashes, of every table of the database ``name``.

    The audit log is left out: the log of a copy has an entry more, which says that it was copied.
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


def write_copy(
    connection: duckdb.DuckDBPyConnection,
    study: Study,
    key: str,
    note: Callable[[duckdb.DuckDBPyConnection, Contents], object],
    step: Callable[[str], object] = lambda _: None,
) -> Contents:
    """Write ``vault.duckdb.new`` under ``key``, close it, open it again from the disk, and compare.

    Args:
        connection: Prepared, with the vault attached as ``old``, read-only: nobody writes to it until the
            caller closes. The copy is attached as ``vault``: defaults and views of the vault name it so.
        study: Whose vault.
        key: Of the copy.
        note: Records in the copy's audit log that it was made; it gets the contents of the vault.
        step: Is called after each step, with its name.

    Raises:
        CopyFailed: the copy differs from the vault.
    """
    attach_under_key(connection, study.new_vault_path, VAULT, key)
    study.new_vault_path.chmod(stat.S_IMODE(study.vault_path.stat().st_mode))
    lock_down(connection, [])
    step("begun")
    connection.execute(f"copy from database old to {VAULT}")
    step("half copied")
    before = contents(connection, "old")
    note(connection, before)
    others = (_other_parts(connection, "old"), _other_parts(connection, VAULT))
    connection.execute(f"checkpoint {VAULT}")
    connection.execute(f"detach {VAULT}")
    with duckdb.connect(config=session_settings()) as fresh:
        prepare(fresh, study)
        attach_under_key(fresh, study.new_vault_path, VAULT, key, read_only=True)
        after = contents(fresh, VAULT)
    if before != after or others[0] != others[1]:
        raise CopyFailed(
            "The copy of the vault is not the same as the vault.",
            "Nothing was changed. Check the disk, then try again.",
        )
    return before


def refuse_full_disk(study: Study) -> None:
    """Check that the disk has room for a second vault beside the first.

    Raises:
        CopyFailed: it has not.
    """
    needed, free = study.vault_path.stat().st_size * 11 // 10, shutil.disk_usage(study.root).free
    if free < needed:
        raise CopyFailed(
            f"A second vault needs {needed >> 20:,} MiB beside the first, and {free >> 20:,} MiB are free.",
            "Make room on this disk, and try again.",
        )


def _other_parts(connection: duckdb.DuckDBPyConnection, name: str) -> list[tuple[str, int | None]]:
    """Sequences with their last values, views, and the number of constraints."""
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
