"""What a query found, as dictionaries."""

from __future__ import annotations

from typing import Any

import duckdb


def records(found: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of what was executed last, each by the names of its columns. Not for tables of plays: it takes them one by one."""
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
