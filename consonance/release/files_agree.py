"""The check of a release's rows: database and Parquet hold the same in the same order, and what dbt built; all is described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from consonance.checks.check import CheckResult, listed
from consonance.release.contents import DATABASE, PARQUET
from consonance.release.package import ORDER
from consonance.study.vault import attach_to_read, session_settings


def check_files_agree(folder: Path, made: Path, tier: str) -> CheckResult:
    """Compare the files of a release with each other, and what it has of the warehouse with what dbt built.

    Args:
        folder: Of the release.
        made: The warehouse that the release is made of.
        tier: ``controlled`` or ``public``.
    """
    problems: list[str] = []
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, folder / DATABASE, "research")
        attach_to_read(connection, made, "made")
        tables = connection.execute(
            """
            select schema_name || '.' || table_name, list(column_name order by column_index)
            from duckdb_columns()
            semi join duckdb_tables() using (table_oid, database_name)
            where database_name = 'research'
            group by all
            order by all
            """
        ).fetchall()
        for table, columns in tables:
            if _differs_from_parquet(connection, table, columns, folder / PARQUET):
                problems.append(f"{table} has other rows, or another order of rows, in Parquet than in the database")
            is_copied = tier == "controlled" or table.startswith("reference.")
            if is_copied and _differs_from_made(connection, table, columns):
                problems.append(f"{table} has other rows in the release than in what dbt built")
            if _is_unordered(connection, table, columns):
                problems.append(f"{table} has rows in another order than consonance/release/package.py gives them")
        problems += [f"{place} is not described" for place in _undescribed(connection)]
    if problems:
        remedy = "Publish again. If the check still fails, look at consonance/release/package.py."
        if all("described" in problem for problem in problems):
            remedy = "Describe it in models/ or seeds/."
        return CheckResult(
            "files agree", False, listed(problems), {"tables": len(tables), "problems": problems}, remedy
        )
    return CheckResult(
        "files agree",
        True,
        f"{len(tables)} tables are the same in the database and in Parquet, in an order of their own, and described.",
        {"tables": len(tables), "problems": []},
    )


def _differs_from_parquet(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str], parquet: Path) -> bool:
    """Whether the Parquet file of the table has other rows; their order counts."""
    path = str(parquet / f"{table.partition('.')[2]}.parquet")
    values = ", ".join(f'"{column}"' for column in columns)
    try:
        rows = _content(connection, f"file_row_number, {values}", "read_parquet($1, file_row_number = true)", [path])
        return rows != _content(connection, f"rowid, {values}", f"research.{table}", [])
    except duckdb.Error:  # no such file, or not these columns
        return True


def _differs_from_made(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> bool:
    """Whether the table has other rows than the one that it was copied from; order does not count."""
    values = ", ".join(f'"{column}"' for column in columns)
    try:
        rows = _content(connection, values, f"made.{table}", [])
        return rows != _content(connection, values, f"research.{table}", [])
    except duckdb.Error:  # no such table, or not these columns
        return True


def _content(
    connection: duckdb.DuckDBPyConnection, values: str, place: str, parameters: list[str]
) -> list[tuple[int, int, int]]:
    """The number of rows, and two sums over hashes of whole rows."""
    return connection.execute(
        f"""
        select count(*), coalesce(bit_xor(row_hash), 0), coalesce(sum(row_hash % 1000003), 0)
        from (select hash({values}) as row_hash from {place})
        """,
        parameters,
    ).fetchall()


def _is_unordered(connection: duckdb.DuckDBPyConnection, table: str, columns: list[str]) -> bool:
    """Whether a row stands before one that belongs before it."""
    keys = [name for name in ORDER if name in columns] if "participant_id" in columns else columns
    row = ", ".join(f'"{key}"' for key in keys)
    ((count,),) = connection.execute(
        f"""
        select count(*)
        from (select row({row}) as this, lag(row({row})) over (order by rowid) as before from research.{table})
        where this < before
        """
    ).fetchall()
    return bool(count)


def _undescribed(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The tables and columns of the release without a comment."""
    for (place,) in connection.execute(
        """
        select schema_name || '.' || table_name as place
        from duckdb_tables()
        where database_name = 'research' and coalesce(comment, '') = ''
        union all
        select schema_name || '.' || table_name || '.' || column_name
        from duckdb_columns()
        where database_name = 'research' and coalesce(comment, '') = ''
        order by place
        """
    ).fetchall():
        yield str(place)
