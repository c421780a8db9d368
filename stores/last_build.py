"""What the last complete ``dbt run`` made the warehouse from: whether others' rows may be kept as they are.

``macros/builds.sql`` writes it into the vault when every model has been made, and takes away what an
earlier run wrote before it begins. Tables tagged ``rests_on_one_person`` hold, of each person, what follows
from that person's rows and from the features of tracks. When somebody is erased, everybody else's rows in
them stay the same, provided that they are what dbt would make: neither the vault nor the project nor the
tables have changed since.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

import duckdb

from stores.dbt_command import PROJECT

# What a run of dbt follows.
FOLDERS = ("models", "macros", "functions", "seeds")
FILES = ("dbt_project.yml", "profiles.yml", "stores/dbt_plugin.py", "stores/vault.py")
SOFTWARE = ("duckdb", "dbt-core", "dbt-duckdb")
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
    """SHA-256, in hex, of everything in the project that a run of dbt follows, and the versions of what runs it."""
    digest = hashlib.sha256()
    paths = [path for folder in FOLDERS for path in (PROJECT / folder).rglob("*") if path.is_file()]
    digest.update(json.dumps({name: version(name) for name in SOFTWARE}).encode())
    for path in sorted([*paths, *(PROJECT / name for name in FILES)]):
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
        "select model_name, schema_name, table_name, rows_hash from vault.raw.last_build order by all"
    ).fetchall()
    there = {
        (schema, table)
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'warehouse'"
        ).fetchall()
    }
    for _, schema, table, rows_hash in noted:
        if (schema, table) not in there or _rows_hash(connection, schema, table) != rows_hash:
            return []
    return [BuiltTable(*names) for *names, _ in noted]


def note_kept(connection: duckdb.DuckDBPyConnection, tables: Iterable[BuiltTable], audit_entries: int) -> None:
    """Note that ``tables`` are what dbt would make, beside all that it has just made.

    Args:
        connection: With the vault attached for writing, and the warehouse as ``warehouse``.
        tables: Those that were kept.
        audit_entries: How far the audit log went when dbt began.
    """
    connection.begin()
    connection.execute("delete from vault.raw.last_build")
    for table in tables:
        connection.execute(
            "insert into vault.raw.last_build values ($model, $schema, $table, $rows_hash, $audit_entries, $digest)",
            {
                **table.__dict__,
                "rows_hash": _rows_hash(connection, table.schema, table.table),
                "audit_entries": audit_entries,
                "digest": project_digest(),
            },
        )
    connection.commit()


def _rows_hash(connection: duckdb.DuckDBPyConnection, schema: str, table: str) -> int:
    return int(
        connection.execute(
            f'select coalesce(sum(hash(built)), 0) from warehouse."{schema}"."{table}" as built'
        ).fetchall()[0][0]
    )
