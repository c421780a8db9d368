"""The data dictionary of an export: every column with type, unit, meaning, missing values and source."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import duckdb
import yaml

from consonance.release.description import field_type

COLUMNS_FILE = Path(__file__).with_name("columns.yml")
# The columns of a feature are mean_X, and with these endings.
PREFIX, ENDINGS = "mean_", ("", "_within", "_between", "_missing")


@dataclass(frozen=True)
class Entry:
    """One column.

    Attributes:
        column: Its name.
        type: Of Frictionless Table Schema.
        unit: In which its numbers are.
        meaning: As dbt wrote it into the database.
        missing: Number of rows without a value; the meaning says what that means.
        source: Where the values come from.
    """

    column: str
    type: str
    unit: str
    meaning: str
    missing: int
    source: str


def describe(connection: duckdb.DuckDBPyConnection, database: str, table: str) -> list[Entry]:
    """The dictionary of ``table`` of the schema ``marts``.

    Args:
        connection: With the warehouse, or the database of a release, as ``database``.
        database: Its name.
        table: ``training_examples``.

    Raises:
        KeyError: ``columns.yml`` does not know a column.
    """
    columns = connection.execute(
        "select column_name, data_type, comment from duckdb_columns() where database_name = $1 and schema_name = 'marts' and table_name = $2 order by column_index",
        [database, table],
    ).fetchall()
    nulls = ", ".join(f'count(*) - count("{name}")' for name, *_ in columns)
    (missing,) = connection.execute(f"select {nulls} from {database}.marts.{table}").fetchall()
    known: dict[str, dict[str, str]] = yaml.safe_load(COLUMNS_FILE.read_text(encoding="utf-8"))
    known |= _of_features(connection, database)
    return [
        Entry(name, field_type(data_type), known[name]["unit"], " ".join((comment or "").split()), absent, known[name]["source"])
        for (name, data_type, comment), absent in zip(columns, missing, strict=True)
    ]  # fmt: skip


def _of_features(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    found = connection.execute(
        f"""
        select features.feature, features.unit, string_agg(sources.source_id, ', ' order by sources.source_id)
        from {database}.reference.audio_features as features
        left join {database}.marts.training_sources as sources on sources.feature = features.feature
        group by features.feature, features.unit
        """
    ).fetchall()
    return {
        f"{PREFIX}{feature}{ending}": {
            "unit": "true or false" if ending == "_missing" else unit,
            "source": sources or "no source that permits training",
        }
        for feature, unit, sources in found
        for ending in ENDINGS
    }


def write_dictionary(path: Path, entries: Sequence[Entry]) -> None:
    """Write the dictionary as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Entry)])
        writer.writeheader()
        writer.writerows(asdict(entry) for entry in entries)


def table_schema(entries: Sequence[Entry]) -> Mapping[str, Any]:
    """The dictionary as a Frictionless Table Schema. Source: https://specs.frictionlessdata.io/table-schema/"""
    return {
        "fields": [
            {
                "name": entry.column,
                "type": entry.type,
                "description": entry.meaning,
                "unit": entry.unit,
                "source": entry.source,
            }
            for entry in entries
        ],
        "missingValues": [""],
    }
