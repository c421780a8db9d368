"""The files of a release with its rows, the analysts' database and Parquet: written from the list of the tier."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from consonance.release.contents import DATABASE, IF_MEASURED, PARQUET, Columns, public_tables, tables_of
from consonance.release.public import make_public_tables
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.vault import attach_to_read, lock_down, session_settings

# The order of rows says nothing that the rows do not say: it is by ids that are random or made of public names, and
# within a person by the time in the row.
ORDER = (
    "participant_id",
    "started_at_local",
    "reported_at_local",
    "prompted_at_local",
    "local_date",
    "session_no",
    "play_id",
    "session_id",
    "report_id",
    "prompt_id",
    "emotion_window",
    "scale",
    "feature",
    "track_id",
    "origin",
)


class NotBuilt(ConsonanceError):
    """The list of a tier names what dbt did not build."""


def write_tables(made: Study, workspace: Path, folder: Path, tier: str) -> None:
    """Write the database and the Parquet files of a release into ``folder``: the tables and columns of the tier's list.

    Args:
        made: The study that the release is made of, built.
        workspace: Where dbt left its ``target``.
        folder: Of the release.
        tier: ``controlled`` or ``public``.

    Raises:
        NothingToPublish: the base population of a public release is a small group itself.
        NotBuilt: see there.
    """
    manifest = json.loads((workspace / "target" / "manifest.json").read_text(encoding="utf-8"))
    seeds = {node["alias"]: node for node in manifest["nodes"].values() if node["resource_type"] == "seed"}
    with _writing(made, workspace, folder) as connection:
        connection.execute("create schema research.marts")
        if tier == "public":
            make_public_tables(connection)
            for table in public_tables():
                _describe(connection, "marts", table.name, table.description, table.columns)
        for name, listed in tables_of(tier).items():
            schema, table_name = name.split(".")
            if schema != "marts" or tier == "controlled":
                _copy_table(connection, schema, table_name, listed, seeds if schema == "reference" else None)
        _write_parquet(connection, folder)


@contextmanager
def _writing(made: Study, workspace: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the warehouse of ``made`` and writes to ``folder``, and reaches nothing else."""
    (folder / PARQUET).mkdir(parents=True)
    connection = duckdb.connect(config=session_settings())
    try:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute("set temp_file_encryption = true")
        connection.execute(f"set temp_directory = {literal(workspace / '.spill')}")
        attach_to_read(connection, made.warehouse_path, "made")
        connection.execute(f"attach {literal(folder / DATABASE)} as research")
        lock_down(connection, [folder])
        yield connection
        connection.execute("checkpoint research")
        connection.execute("detach research")
    finally:
        connection.close()
    (folder / DATABASE).chmod(0o444)


def _copy_table(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    listed: Columns,
    seeds: dict[str, dict[str, Any]] | None,
) -> None:
    """Copy the listed columns of a table with their comments; a seed has none in the database, dbt's manifest has them.

    Raises:
        NotBuilt: see there.
    """
    found = {
        name: comment
        for name, comment in connection.execute(
            "select column_name, comment from duckdb_columns() where database_name = 'made' and schema_name = $1 and table_name = $2 order by column_index",
            [schema, table],
        ).fetchall()
        if name in listed
    }
    if not found and f"{schema}.{table}" == IF_MEASURED:
        return
    if missing := [name for name in listed if name not in found]:
        raise NotBuilt(
            f"Nothing was published: consonance/release/controlled_tables.yml lists {schema}.{table}.{missing[0]}, which dbt did not build.",
            "Remove it from the list, or build it in models/ or seeds/.",
        )
    columns = ", ".join(f'"{name}"' for name in found)
    # Tables without persons are in the order of their columns, as the rules want it.
    keys = [f'"{name}"' for name in ORDER if name in found] if "participant_id" in found else []
    connection.execute(f'create schema if not exists research."{schema}"')
    connection.execute(
        f'create table research."{schema}"."{table}" as select {columns} from made."{schema}"."{table}" order by {", ".join(keys) or "all"}'
    )
    if seeds is None:
        ((comment,),) = connection.execute(
            "select comment from duckdb_tables() where database_name = 'made' and schema_name = $1 and table_name = $2",
            [schema, table],
        ).fetchall()
        _describe(connection, schema, table, comment, found)
    else:
        words = {name: seeds[table]["columns"][name]["description"] for name in found}
        _describe(connection, schema, table, seeds[table]["description"], words)


def _describe(
    connection: duckdb.DuckDBPyConnection,
    schema: str,
    table: str,
    comment: str | None,
    columns: Mapping[str, str | None],
) -> None:
    place = f'research."{schema}"."{table}"'
    connection.execute(f"comment on table {place} is {literal(_flat(comment))}")
    for name, words in columns.items():
        connection.execute(f'comment on column {place}."{name}" is {literal(_flat(words))}')


def _write_parquet(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for schema, table in connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'research'"
    ).fetchall():
        path = folder / PARQUET / f"{table}.parquet"
        connection.execute(f'copy research."{schema}"."{table}" to {literal(path)} (format parquet, compression zstd)')


def _flat(words: str | None) -> str:
    return " ".join((words or "").split())
