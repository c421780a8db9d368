"""The tables that loaders write, in the vault and in the catalogue."""

from __future__ import annotations

from pathlib import Path

import duckdb

from consonance.study.tokens import draw_token_key

TABLES = Path(__file__).with_name("stores.sql")


def lay_out_stores(connection: duckdb.DuckDBPyConnection) -> None:
    """Create what is missing of them, and draw the vault's key of tokens once."""
    connection.execute(TABLES.read_text(encoding="utf-8"))
    draw_token_key(connection)
