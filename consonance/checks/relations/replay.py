"""The models of dbt on other stores: the statements that a run of dbt has executed are executed again.

dbt takes seconds to start, also where there is little to build. Its folder ``target/run`` has the statement of each model
as it was executed; run again where ``vault``, ``catalogue`` and ``warehouse`` are other databases, it makes the same
models of their data.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import duckdb

from consonance.study.dbt_command import NAME, target_folder
from consonance.study.errors import ConsonanceError

MADE = re.compile(r'create or replace (?:table|view) ("\w+"\."\w+"\."\w+")')
NAMED = re.compile(r'"\w+"\."\w+"\."\w+"')


class ModelFailed(ConsonanceError):
    """A model cannot be made of the sample of the study."""


def statements_of_run(workspace: Path) -> dict[str, str]:
    """What dbt executed for its models in its last run with ``workspace``, by relation: each after those that it reads."""
    made = {}
    for path in (target_folder(workspace) / "run" / NAME / "models").rglob("*.sql"):
        statement = path.read_text(encoding="utf-8")
        if found := MADE.search(statement):
            made[found[1]] = statement
    reads = {name: set(NAMED.findall(statement)) & made.keys() - {name} for name, statement in made.items()}
    return {name: made[name] for name in TopologicalSorter(reads).static_order()}


def lay_out_warehouse(connection: duckdb.DuckDBPyConnection, template: str) -> None:
    """Make the attached, empty ``warehouse`` like the warehouse ``template``: its functions and seeds, and every table
    without rows, also those that a model reads before it makes them again.
    """
    connection.execute(f"copy from database {template} to warehouse (schema)")
    seeds = connection.execute(
        "select table_name from duckdb_tables() where database_name = $template and schema_name = 'reference'",
        {"template": template},
    ).fetchall()
    for (seed,) in seeds:
        connection.execute(f'insert into warehouse.reference."{seed}" select * from {template}.reference."{seed}"')


def replay(connection: duckdb.DuckDBPyConnection, statements: Mapping[str, str]) -> None:
    """Execute ``statements``, of ``statements_of_run``, on the attached stores.

    Raises:
        ModelFailed: DuckDB refuses one of them.
    """
    for relation, statement in statements.items():
        connection.execute(f"create schema if not exists {relation.rpartition('.')[0]}")
        try:
            connection.execute(statement)
        except duckdb.Error:
            # DuckDB's message may quote participants.
            _, schema, name = relation.replace('"', "").split(".")
            raise ModelFailed(
                f"{schema}.{name} could be made of the study, but not of a sample of it in which everything that must "
                "not matter is changed.",
                f"Look at models/{schema}/{name}.sql: with other values in the vault its SQL fails.",
            ) from None
