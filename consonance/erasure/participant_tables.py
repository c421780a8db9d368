"""Participant tables: those whose rows belong to persons.

DuckDB's catalogue lists the tables, so that none is forgotten. Whose a row is, of the tables that the loaders write,
``stores.yml`` declares; of any other table, the name of a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb

from consonance.study.desk import DESK
from consonance.study.folder import Study
from consonance.study.key import read_key
from consonance.study.schema import kind_of_owner, owners
from consonance.study.vault import attach_study, attach_to_read, attach_under_key, lock_down, session_settings

# The columns by which rows belong to a person, in tables that stores.yml does not declare.
KEYS = ("participant_no", "participant_code", "participant_id")
TEXTS = ("VARCHAR", "VARCHAR[]")


@dataclass(frozen=True)
class People:
    """Participants, by the values of theirs in each of ``KEYS``."""

    participant_code: tuple[str, ...] = ()
    participant_no: tuple[int, ...] = ()
    participant_id: tuple[str, ...] = ()

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, codes: Sequence[str]) -> People:
        """The participants ``codes``, as the attached ``vault`` has them."""
        keys = connection.execute(
            "select participant_no, pseudonym from vault.raw.keyring where list_contains($codes, participant_code)",
            {"codes": list(codes)},
        ).fetchall()
        return cls(tuple(codes), tuple(number for number, _ in keys), tuple(name for _, name in keys))


@dataclass(frozen=True)
class Relation:
    """A table: the column that says whose a row is, if there is one, and its columns with their types."""

    database: str
    schema: str
    table: str
    key: str | None
    columns: dict[str, str]

    def whose(self, people: People) -> list[Any]:
        """The values of its key that stand for ``people``."""
        if not self.key:
            return []
        return list(getattr(people, self.key if self.key in KEYS else kind_of_owner(self.columns[self.key])))

    @property
    def name(self) -> str:
        return f"{self.schema}.{self.table}"

    @property
    def place(self) -> str:
        return f'{self.database}."{self.schema}"."{self.table}"'

    def values(self, types: tuple[str, ...]) -> Iterator[tuple[str, str]]:
        """Each column of one of ``types``, and SQL for one of its values a row."""
        for column, data_type in self.columns.items():
            if data_type in types:
                yield column, f'unnest("{column}")' if data_type.endswith("[]") else f'"{column}"'


@contextmanager
def opened_stores(
    study: Study, written: Mapping[str, Path] = MappingProxyType({})
) -> Iterator[tuple[duckdb.DuckDBPyConnection, list[Relation]]]:
    """Vault, warehouse and desk for reading, with their tables; the vault may be a stale backup.

    Args:
        study: Whose stores.
        written: Databases to attach for writing, under the vault's key, by the name to attach them as.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True, may_be_stale=True)
        for name, path in written.items():
            attach_under_key(connection, path, name, read_key(study))
        tables = [table for table in relations(connection, "vault") if table.schema == "raw"]
        for path, name in ((study.warehouse_path, "warehouse"), (study.desk_path, DESK)):
            if path.exists():
                attach_to_read(connection, path, name)
                tables += relations(connection, name)
        lock_down(connection, [])
        yield connection, tables


def relations(connection: duckdb.DuckDBPyConnection, database: str) -> list[Relation]:
    """Every table of the attached ``database``, in order of name."""
    found = connection.execute(
        """
        select columns.schema_name, columns.table_name, map_from_entries(list((columns.column_name, columns.data_type) order by columns.column_index))
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables
            on tables.database_name = columns.database_name
            and tables.schema_name = columns.schema_name
            and tables.table_name = columns.table_name
        where columns.database_name = $database and not columns.internal
        group by columns.schema_name, columns.table_name
        order by all
        """,
        {"database": database},
    ).fetchall()
    return [
        Relation(database, schema, table, _key_of(database, schema, table, columns), columns)
        for schema, table, columns in found
    ]


def _key_of(database: str, schema: str, table: str, columns: Mapping[str, str]) -> str | None:
    if (database, schema) == ("vault", "raw") and table in owners():
        return owners()[table][0]
    return next((key for key in KEYS if key in columns), None)


def count_rows(connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], people: People) -> dict[str, int]:
    """The rows of ``people`` in each of ``tables`` that has any, by the table's name."""
    counts = {}
    for table in tables:
        if whose := table.whose(people):
            ((rows,),) = connection.execute(
                f"select count(*) from {table.place} where list_contains($whose, {table.key})", {"whose": whose}
            ).fetchall()
            if rows:
                counts[table.name] = int(rows)
    return counts
