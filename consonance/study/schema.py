"""The tables that the loaders write, in the vault and in the catalogue: one declaration, ``stores.yml``.

Whatever goes by the columns of a table derives them from here, so that no column is forgotten: the loaders,
the rule of names, the erasure, the paired rebuild of the non-interference test.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import yaml

from consonance.study.declared_tables import STORES, Column, Table
from consonance.study.errors import ConsonanceError
from consonance.study.migrations import VERSION, migrate, store_version
from consonance.study.tokens import draw_token_key

VIEWS = Path(__file__).with_name("views.sql")


class OlderStores(ConsonanceError):
    """The stores were made by an older version of the program."""


@cache
def tables(schema: str = "vault.raw") -> Mapping[str, Table]:
    """The declared tables of ``vault.raw`` or ``catalogue.music``, by name.

    Raises:
        BadDeclaration, TypeError: the declaration is not complete.
    """
    declared: Mapping[str, Any] = _declared()[schema]
    database, name = schema.split(".")
    return {
        table: Table(
            database,
            name,
            table,
            facts["row"],
            {column: Column(column, **attributes) for column, attributes in facts["columns"].items()},
            tuple(facts.get("constraints", ())),
            **{name: facts.get(name) for name in ("owner", "nobody", "purpose", "enrolled", "landed_by")},
        )
        for table, facts in declared.items()
    }


def titles() -> dict[str, dict[str, tuple[str, str]]]:
    """The texts of a landed play that say what was played, by table: each with SQL for the URI beside it, and the
    kinds of URI that make it Spotify's own text."""
    return {
        table.name: found
        for table in tables().values()
        if (
            found := {
                column.name: (column.uri or "cast(null as varchar)", column.uri_kinds)
                for column in table.columns.values()
                if column.text == "title"
            }
        )
    }


def owners(purpose: str | None = None) -> dict[str, tuple[str, str]]:
    """The tables of the vault whose rows belong to participants, in order of declaration: the owner column of each, and
    what is in it, ``participant_no`` or ``participant_code``.

    ``purpose``: only those whose rows were given for it.
    """
    return {
        table.name: (table.owner, kind_of_owner(table.columns[table.owner].type))
        for table in tables().values()
        if table.owner and purpose in (None, table.purpose)
    }


def columns_with_purposes() -> list[tuple[Table, Column]]:
    """The columns of the vault that are null where their participant does not grant the purpose of the column."""
    return [(table, column) for table in tables().values() for column in table.columns.values() if column.purpose]


def kind_of_owner(data_type: str) -> str:
    """What an owner column of this type says of a participant: ``participant_no`` or ``participant_code``."""
    return "participant_no" if data_type.lower().startswith("integer") else "participant_code"


def word_columns() -> frozenset[str]:
    """The columns of the vault with words of closed lists, by name.

    That only one participant has such a word proves nothing: an erasure does not search for it. Every other
    ``varchar`` of the vault is searched.
    """
    return frozenset(
        column.name for table in tables().values() for column in table.columns.values() if column.text == "words"
    )


def lay_out_stores(connection: duckdb.DuckDBPyConnection) -> None:
    """Bring the attached stores to this version: create what is missing, migrate, draw the key of tokens once."""
    found = store_version(connection)
    declared = _all_tables()
    _create(connection, *_declared())
    for table, column in _missing(connection, declared):
        connection.execute(f"alter table {table.place} add column {column.name} {column.type}")
    connection.execute(VIEWS.read_text(encoding="utf-8"))
    migrate(connection, found)
    draw_token_key(connection)


def lay_out_vault(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing in the attached vault, which is of this version; the catalogue is not written to."""
    _create(connection, "vault.raw")
    connection.execute(VIEWS.read_text(encoding="utf-8"))
    draw_token_key(connection)


def lay_out_catalogue(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing in the attached catalogue, which is of this version."""
    _create(connection, "catalogue.music")


def insert_row(connection: duckdb.DuckDBPyConnection, table: str, **values: Any) -> None:
    """Insert one row into a table of ``vault.raw``; columns that are not named are null, or have their default."""
    parameters = ", ".join(f"${name}" for name in values)
    connection.execute(f"insert into vault.raw.{table} ({', '.join(values)}) values ({parameters})", values)


def refuse_older_stores(connection: duckdb.DuckDBPyConnection) -> None:
    """See that the attached stores are those of this version.

    Raises:
        OlderStores: the next load has to bring them to this version.
    """
    if store_version(connection) != VERSION or any(_missing(connection, _all_tables())):
        raise OlderStores("The vault of this study was made by an older version.", "Run 'consonance load' first.")


def _create(connection: duckdb.DuckDBPyConnection, *schemas: str) -> None:
    for schema in schemas:
        statements = [f"create schema if not exists {schema};\n", *(table.ddl() for table in tables(schema).values())]
        connection.execute("".join(statements))


def _all_tables() -> list[Table]:
    return [table for schema in _declared() for table in tables(schema).values()]


def _missing(connection: duckdb.DuckDBPyConnection, declared: Sequence[Table]) -> list[tuple[Table, Column]]:
    """The declared columns that the attached stores lack."""
    there = connection.execute(
        "select database_name || '.' || schema_name || '.' || table_name || '.' || column_name from duckdb_columns()"
    ).fetchall()
    names = {name for (name,) in there}
    return [
        (table, column)
        for table in declared
        for column in table.columns.values()
        if f"{table.place}.{column.name}" not in names
    ]


@cache
def _declared() -> Mapping[str, Any]:
    return dict(yaml.load(STORES.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))
