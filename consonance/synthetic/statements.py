"""Files of SQL that make the synthetic study."""

from __future__ import annotations

from pathlib import Path

import duckdb

HERE = Path(__file__).parent


def run(connection: duckdb.DuckDBPyConnection, name: str, **values: object) -> None:
    """Run a file of statements with ``values`` in place of ``$name``: DuckDB's macros and tables take no parameters."""
    sql = (HERE / name).read_text(encoding="utf-8")
    for parameter, value in values.items():
        sql = sql.replace(f"${parameter}", str(value))
    connection.execute(sql)
