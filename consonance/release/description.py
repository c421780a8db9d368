"""What a release says of itself: the codebook and the Frictionless data package."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb

from consonance.site.pages import render
from consonance.study.files import sha256_of

# https://specs.frictionlessdata.io/table-schema/#types-and-formats
FIELD_TYPES = {
    "BOOLEAN": "boolean",
    "VARCHAR": "string",
    "DATE": "date",
    "TIMESTAMP": "datetime",
    "TINYINT": "integer",
    "SMALLINT": "integer",
    "INTEGER": "integer",
    "BIGINT": "integer",
    "DOUBLE": "number",
    "FLOAT": "number",
}


@dataclass(frozen=True)
class Column:
    """One column of a released table: ``nulls`` counts the rows without a value."""

    name: str
    type: str
    description: str
    nulls: int


@dataclass(frozen=True)
class Table:
    """One released table."""

    schema: str
    name: str
    description: str
    rows: int
    columns: tuple[Column, ...]


def described_tables(database: Path) -> list[Table]:
    """The tables of a released database, with the descriptions in it."""
    with duckdb.connect(str(database), read_only=True) as connection:
        tables = []
        for schema, name, comment in connection.execute(
            "select schema_name, table_name, comment from duckdb_tables() where not internal order by schema_name = 'marts' desc, schema_name, table_name"
        ).fetchall():
            columns = connection.execute(
                "select column_name, data_type, comment from duckdb_columns() where schema_name = $1 and table_name = $2 order by column_index",
                [schema, name],
            ).fetchall()
            nulls = ", ".join(f'count(*) - count("{column}")' for column, _, _ in columns)
            ((rows, *missing),) = connection.execute(f'select count(*), {nulls} from "{schema}"."{name}"').fetchall()
            tables.append(
                Table(
                    schema,
                    name,
                    comment or "",
                    rows,
                    tuple(
                        Column(column, data_type, words or "", absent)
                        for (column, data_type, words), absent in zip(columns, missing, strict=True)
                    ),
                )
            )
    return tables


def write_codebook(folder: Path, tables: list[Table], facts: dict[str, Any]) -> None:
    """Write ``codebook.csv`` and ``codebook.html``: every table and column, type, description, nulls."""
    with (folder / "codebook.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["schema", "table", "rows", "column", "type", "nulls", "description"])
        for table in tables:
            for column in table.columns:
                writer.writerow(
                    [table.schema, table.name, table.rows, column.name, column.type, column.nulls, column.description]
                )
    (folder / "codebook.html").write_text(render("codebook.html", **facts, tables=tables), encoding="utf-8")


def write_datapackage(folder: Path, tables: list[Table], number: int, title: str, tier: str, created: datetime) -> None:
    """Write ``datapackage.json``: a Frictionless Data Package whose resources are the Parquet files.

    Source: https://specs.frictionlessdata.io/data-package/
    """
    package = {
        "profile": "data-package",
        "name": f"release-{number}",
        "title": f"{title}: release {number}, {tier}",
        "description": "See codebook.html for the columns, certificate.html for consent, rules and risk.",
        "version": str(number),
        "created": created.isoformat(timespec="seconds") + "Z",
        "resources": [_resource(folder, table) for table in tables],
    }
    (folder / "datapackage.json").write_text(json.dumps(package, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def _resource(folder: Path, table: Table) -> dict[str, Any]:
    path = folder / "parquet" / f"{table.name}.parquet"
    return {
        "name": table.name,
        "path": path.relative_to(folder).as_posix(),
        "description": table.description,
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": path.stat().st_size,
        "hash": f"sha256:{sha256_of(path)}",
        "schema": {
            "fields": [
                {"name": column.name, "type": field_type(column.type), "description": column.description}
                for column in table.columns
            ]
        },
    }


def field_type(duckdb_type: str) -> str:
    """The type of Frictionless Table Schema for a type of DuckDB; ``any`` if it knows none."""
    return "number" if duckdb_type.startswith("DECIMAL") else FIELD_TYPES.get(duckdb_type, "any")


def as_json(tables: Sequence[Table]) -> list[dict[str, Any]]:
    """The tables as the certificate lists them: with their numbers of rows."""
    return [
        {key: value for key, value in asdict(table).items() if key in ("schema", "name", "rows")} for table in tables
    ]
