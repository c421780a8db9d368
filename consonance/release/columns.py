"""The columns of a release and of the databases beside it, and what the list of the tier calls them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from consonance.release.contents import controlled_tables

INTEGERS = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
)


@dataclass(frozen=True)
class Column:
    """A column of an attached database: ``table`` is ``schema.table``."""

    database: str
    table: str
    name: str
    type: str

    @property
    def place(self) -> str:
        return f"{self.table}.{self.name}"

    @property
    def sql(self) -> str:
        return f'"{self.name}"'

    @property
    def family(self) -> str | None:
        """Columns of one family can have equal values: times, or texts and whole numbers. Days recur after any shift."""
        if self.type.startswith("TIMESTAMP"):
            return "times"
        return "values" if self.type in (*INTEGERS, "VARCHAR", "UUID", "BLOB") else None


def kind_of(column: Column) -> str | None:
    """The kind that the list of the controlled tier gives the column, if it knows it."""
    return controlled_tables().get(column.table, {}).get(column.name)


def columns_of(connection: duckdb.DuckDBPyConnection) -> list[Column]:
    """Every column of every table of the attached databases, reference data aside."""
    return [
        Column(*row)
        for row in connection.execute(
            """
            select database_name, schema_name || '.' || table_name, column_name, data_type
            from duckdb_columns()
            semi join duckdb_tables() using (table_oid, database_name)
            where schema_name <> 'reference' and database_name <> 'temp'
            order by database_name, schema_name, table_name, column_index
            """
        ).fetchall()
    ]


def has_persons(column: Column, columns: Sequence[Column]) -> bool:
    """Whether the table of the column is one of ``columns`` with persons."""
    return any(other.table == column.table and other.name == "participant_id" for other in columns)
