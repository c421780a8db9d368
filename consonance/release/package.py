"""The files of a release with its rows: the analysts' database and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import yaml

from consonance.release.making import NothingToPublish, purpose_of
from consonance.release.parameters import small_group
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.vault import attach_to_read, lock_down, session_settings

HERE = Path(__file__).parent
DATABASE = "research.duckdb"
# The order of rows says nothing that the rows do not say: it is by ids that are random or made of public names, and
# within a person by the time in the row.
ORDER = (
    "participant_id",
    "started_at_local",
    "reported_at_local",
    "local_date",
    "session_no",
    "play_id",
    "session_id",
    "report_id",
    "emotion_window",
    "feature",
    "track_id",
)


def write_controlled(made: Study, workspace: Path, folder: Path) -> None:
    """Write the database and the Parquet files of a controlled release into ``folder``.

    Args:
        made: The study that the release is made of, built.
        workspace: Where dbt left its ``target``.
        folder: Of the release.
    """
    manifest = json.loads((workspace / "target" / "manifest.json").read_text(encoding="utf-8"))
    seeds = _needed_seeds(manifest)
    with _writing(made, workspace, folder) as connection:
        found = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'made' order by all"
        ).fetchall()
        for schema, table in found:
            if schema == "marts" or (schema == "reference" and table in seeds):
                _copy_table(connection, schema, table, seeds.get(table))
        _copy_risk(connection)
        _write_parquet(connection, folder)


def write_public(made: Study, workspace: Path, folder: Path) -> None:
    """Write the database and the Parquet files of a public release into ``folder``: aggregates alone.

    Raises:
        NothingToPublish: the base population is a small group itself.
    """
    manifest = json.loads((workspace / "target" / "manifest.json").read_text(encoding="utf-8"))
    with _writing(made, workspace, folder) as connection:
        connection.execute("create schema research.marts")
        connection.execute((HERE / "public_cells.sql").read_text(encoding="utf-8"))
        ((persons,),) = connection.execute("select persons from population").fetchall()
        if persons <= small_group():
            raise NothingToPublish(
                f"Too few participants with plays grant {purpose_of('public')}: each cell of the public tier needs more than {small_group()} persons.",
                "Publish to the controlled tier, or wait for more participants.",
            )
        connection.execute(f"set variable small_group = {small_group()}")
        suppression = (HERE / "public_suppression.sql").read_text(encoding="utf-8")
        while connection.execute(f"create or replace temp table suppressed as {suppression}").fetchall() != [(0,)]:
            connection.execute(
                "update cells set is_published = false where (series, cell) in (select series, cell from suppressed)"
            )
        connection.execute((HERE / "public_tables.sql").read_text(encoding="utf-8"))
        for table, words in yaml.safe_load((HERE / "public_tables.yml").read_text(encoding="utf-8")).items():
            _describe(connection, "marts", table, words["description"], words["columns"])
        _copy_table(connection, "reference", "feature_sources", _needed_seeds(manifest)["feature_sources"])
        _copy_risk(connection)
        _write_parquet(connection, folder)


def _copy_risk(connection: duckdb.DuckDBPyConnection) -> None:
    """Copy the figures of the attacks, if they were measured."""
    if connection.execute(
        "select 1 from duckdb_tables() where database_name = 'made' and schema_name = 'audit' and table_name = 'privacy_risk'"
    ).fetchall():
        _copy_table(connection, "audit", "privacy_risk", None)


@contextmanager
def _writing(made: Study, workspace: Path, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the warehouse of ``made`` and writes to ``folder``, and reaches nothing else."""
    (folder / "parquet").mkdir(parents=True)
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


def _needed_seeds(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The seeds that models right of the wall read, by name, as dbt's manifest describes them."""
    nodes = manifest["nodes"]
    names = {
        name
        for node in nodes.values()
        if node["resource_type"] == "model" and node["schema"] in ("sessionized", "features", "marts")
        for name in node["depends_on"]["nodes"]
        if name.startswith("seed.")
    }
    return {nodes[name]["alias"]: nodes[name] for name in names}


def _copy_table(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, described: dict[str, Any] | None
) -> None:
    """Copy a table with its comments; a seed has none in the database, dbt's manifest has them."""
    connection.execute(f'create schema if not exists research."{schema}"')
    columns = connection.execute(
        "select column_name, comment from duckdb_columns() where database_name = 'made' and schema_name = $1 and table_name = $2 order by column_index",
        [schema, table],
    ).fetchall()
    # Tables without persons are in the order of their columns, as the rules want it.
    keys = [f'"{name}"' for name in ORDER if name in dict(columns)] if "participant_id" in dict(columns) else []
    connection.execute(
        f'create table research."{schema}"."{table}" as select * from made."{schema}"."{table}" order by {", ".join(keys) or "all"}'
    )
    if described is None:
        ((comment,),) = connection.execute(
            "select comment from duckdb_tables() where database_name = 'made' and schema_name = $1 and table_name = $2",
            [schema, table],
        ).fetchall()
        _describe(connection, schema, table, comment, dict(columns))
    else:
        words = {name: column["description"] for name, column in described["columns"].items()}
        _describe(connection, schema, table, described["description"], words)


def _describe(
    connection: duckdb.DuckDBPyConnection, schema: str, table: str, comment: str | None, columns: dict[str, str | None]
) -> None:
    place = f'research."{schema}"."{table}"'
    connection.execute(f"comment on table {place} is {literal(_flat(comment))}")
    for name, words in columns.items():
        connection.execute(f'comment on column {place}."{name}" is {literal(_flat(words))}')


def _write_parquet(connection: duckdb.DuckDBPyConnection, folder: Path) -> None:
    for schema, table in connection.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'research'"
    ).fetchall():
        path = folder / "parquet" / f"{table}.parquet"
        connection.execute(f'copy research."{schema}"."{table}" to {literal(path)} (format parquet, compression zstd)')


def _flat(words: str | None) -> str:
    return " ".join((words or "").split())
