"""What the last complete ``dbt run`` made the warehouse from: whether others' rows may be kept as they are.

``macros/builds.sql`` writes it into the vault when every model has been made. Tables tagged
``rests_on_one_person`` hold, of each person, what follows from that person's rows and from the features
of tracks. When somebody is erased, everybody else's rows in them stay the same, provided that they are
what dbt would make: neither the vault nor the project has changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import duckdb

from stores.dbt_command import PROJECT

# What a run of dbt follows.
FOLDERS = ("models", "macros", "functions", "seeds")
# Entries of the audit log after which the rows of others are what they were.
CHANGES_NO_ROWS = ("published", "release_taken_down", "key_rotated", "erasure_searched")


@dataclass(frozen=True)
class BuiltTable:
    """A table of the warehouse, and the model that makes it."""

    model: str
    schema: str
    table: str


@cache
def project_digest() -> str:
    """SHA-256, in hex, of everything in the project that a run of dbt follows."""
    digest = hashlib.sha256()
    paths = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*") if path.is_file()]
    for path in sorted([*paths, PROJECT / "dbt_project.yml"]):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def why_outdated(connection: duckdb.DuckDBPyConnection) -> str | None:
    """Why dbt would make something else now than it last made in a complete run; ``None`` if it would not.

    Args:
        connection: With the vault attached as ``vault``.
    """
    built = connection.execute(
        """
        select
            project_digest = $digest,
            exists (from vault.raw.audit_log where entry_no > audit_entries and not list_contains($harmless, kind))
        from vault.raw.last_build
        limit 1
        """,
        {"digest": project_digest(), "harmless": list(CHANGES_NO_ROWS)},
    ).fetchall()
    if not built:
        return "No complete run of dbt is noted since the study was loaded by this version."
    ((is_same_project, has_changed),) = built
    if has_changed:
        return "The vault was loaded or changed after the warehouse was built."
    return None if is_same_project else "Models, macros, functions or seeds have changed since the warehouse was built."


def tables_as_built(connection: duckdb.DuckDBPyConnection) -> list[BuiltTable]:
    """The tables that rest on one person each, if the warehouse is what dbt would make now; else none.

    Args:
        connection: With the vault attached as ``vault`` and the warehouse as ``warehouse``.
    """
    if why_outdated(connection):
        return []
    noted = connection.execute(
        "select model_name, schema_name, table_name, row_count from vault.raw.last_build order by all"
    ).fetchall()
    there = {
        (schema, table)
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse'"
        ).fetchall()
    }
    for _, schema, table, rows in noted:
        if (schema, table) not in there or _rows(connection, schema, table) != rows:
            return []
    return [BuiltTable(*names) for *names, _ in noted]


def note_kept(connection: duckdb.DuckDBPyConnection, tables: Iterable[BuiltTable]) -> None:
    """Note that ``tables`` are what dbt would make now, beside all that it has just made.

    Args:
        connection: With the vault attached for writing, and the warehouse as ``warehouse``.
        tables: Those that were kept.
    """
    connection.begin()
    connection.execute("delete from vault.raw.last_build")
    for table in tables:
        connection.execute(
            """
            insert into vault.raw.last_build
            select $model, $schema, $table, $rows, (select coalesce(max(entry_no), 0) from vault.raw.audit_log), $digest
            """,
            {**table.__dict__, "rows": _rows(connection, table.schema, table.table), "digest": project_digest()},
        )
    connection.commit()


def _rows(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    return int(connection.execute(f'select count(*) from warehouse."{schema}"."{table}"').fetchall()[0][0])
