"""The last run of dbt, as dbt noted it in the vault: whether another run would make a different warehouse.

``macros/runs.sql`` writes it into the vault: before a run begins, that it is not complete; when every model
has been made, from which state of the vault and of the project. A run at the desk (``--target desk``), which has
no vault, leaves a note in the warehouse, until the next run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version

import duckdb

from consonance.study.dbt_command import PROJECT

# What the result of a run depends on.
FOLDERS = ("models", "macros", "functions", "seeds")
FILES = ("dbt_project.yml", "profiles.yml", "consonance/study/dbt_plugin.py", "consonance/study/vault.py")
SOFTWARE = ("duckdb", "dbt-core", "dbt-duckdb")
# Entries of the audit log after which the warehouse is still what dbt would make. Version 0.1 wrote
# release_taken_down for release_unpublished.
CHANGES_NO_ROWS = (
    "published",
    "release_unpublished",
    "release_taken_down",
    "key_rotated",
    "erasure_searched",
    "exported",
)


@cache
def project_digest() -> str:
    """SHA-256, in hex, of everything in the project on which a run of dbt depends, and of the versions of the software."""
    digest = hashlib.sha256()
    paths = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*") if path.is_file()]
    digest.update(json.dumps({name: version(name) for name in SOFTWARE}).encode())
    for path in sorted([*paths, *(PROJECT / name for name in FILES)]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def is_the_last_run_complete(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether every table of the warehouse is of one run, and the desk of the same.

    Args:
        connection: With the vault attached as ``vault``, and the warehouse as ``warehouse``.
    """
    return connection.execute(
        """
        select bool_or(is_complete)
            and not exists (from duckdb_tables() where database_name = 'warehouse' and schema_name = 'desk')
        from vault.raw.last_run
        """
    ).fetchall() == [(True,)]


def why_outdated(connection: duckdb.DuckDBPyConnection, but_for: Sequence[str] = ()) -> str | None:
    """Why dbt would make a different warehouse now; ``None`` if it would not.

    Args:
        connection: With the vault attached as ``vault`` and, if there is one, the warehouse as ``warehouse``.
        but_for: Kinds of entries of the audit log whose changes do not count.
    """
    noted = connection.execute(
        """
        select
            is_complete,
            project_digest = $digest,
            exists (from vault.raw.audit_log where entry_no > audit_entries and not list_contains($harmless, kind)),
            exists (from duckdb_tables() where database_name = 'warehouse' and schema_name = 'desk')
        from vault.raw.last_run
        """,
        {"digest": project_digest(), "harmless": [*CHANGES_NO_ROWS, *but_for]},
    ).fetchall()
    if not noted:
        return "dbt has not built the warehouse from this vault yet."
    ((is_complete, is_same_project, has_changed, is_of_the_desk),) = noted
    if not is_complete:
        return "The last run of dbt was not complete (a part was selected, or it failed): some tables may be older than others."
    if has_changed:
        return "The vault was changed after the warehouse was built."
    if is_of_the_desk:
        return "Marts were built with '--target desk' after the last run of dbt with the vault."
    return None if is_same_project else "Models, macros, functions or seeds have changed since the warehouse was built."
