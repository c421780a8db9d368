"""Where people's rows lie: found in the catalogue of the databases, so that no table is forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

# The columns by which rows belong to a person, in the vault and right of the wall.
KEYS = ("participant_no", "participant_code", "participant_id")
TEXTS = ("VARCHAR", "VARCHAR[]")


@dataclass(frozen=True)
class People:
    """Participants by every name the stores have for them: the values that each of ``KEYS`` has of theirs."""

    participant_code: tuple[str, ...] = ()
    participant_no: tuple[int, ...] = ()
    participant_id: tuple[str, ...] = ()

    @classmethod
    def of(cls, connection: duckdb.DuckDBPyConnection, codes: Sequence[str]) -> People:
        """Those of ``codes``, as the attached ``vault`` knows them."""
        keys = connection.execute(
            "select participant_no, pseudonym from vault.raw.keyring where list_contains($codes, participant_code)",
            {"codes": list(codes)},
        ).fetchall()
        return cls(tuple(codes), tuple(number for number, _ in keys), tuple(name for _, name in keys))


@dataclass(frozen=True)
class Relation:
    """A table: by which column its rows belong to persons, if they do, and its columns by type."""

    database: str
    schema: str
    table: str
    key: str | None
    columns: dict[str, str]

    def whose(self, people: People) -> list[Any]:
        """The values of the key of this table that are those of ``people``."""
        return list(getattr(people, self.key)) if self.key else []

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
        Relation(database, schema, table, next((key for key in KEYS if key in columns), None), columns)
        for schema, table, columns in found
    ]


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
