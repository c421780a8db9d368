"""The check of a release's files: database and Parquet hold the same rows, everything is described, nothing leads out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb

from consonance.checks.check import CheckResult
from consonance.release.package import DATABASE
from consonance.study.vault import attach_to_read, session_settings


def check_files_agree(folder: Path, made: Path, tier: str) -> CheckResult:
    """Compare the files of a release with each other, and a controlled one with what dbt built.

    Args:
        folder: Of the release.
        made: The warehouse that the release is made of.
        tier: ``controlled`` or ``public``.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, folder / DATABASE, "research")
        attach_to_read(connection, made, "made")
        tables = connection.execute(
            "select schema_name, table_name from duckdb_tables() where database_name = 'research' order by all"
        ).fetchall()
        problems = [
            f"{schema}.{table} has other rows in another place (database, Parquet, warehouse)"
            for schema, table in tables
            if _differs(connection, schema, table, folder / "parquet", with_made=tier == "controlled")
        ]
        problems += [f"{place} is not described" for place in _undescribed(connection)]
        problems += [f"the view or macro {name} might read another file" for name in _ways_out(connection)]
    if problems:
        remedy = "Describe it in models/ or seeds/." if "described" in " ".join(problems) else "Publish again."
        return CheckResult(
            "files agree", False, f"{problems[0]}.", {"tables": len(tables), "problems": problems}, remedy
        )
    return CheckResult(
        "files agree",
        True,
        f"{len(tables)} tables are the same in the database and in Parquet, and described.",
        {"tables": len(tables), "problems": []},
    )


def _differs(connection: duckdb.DuckDBPyConnection, schema: str, table: str, parquet: Path, *, with_made: bool) -> bool:
    """Whether the table has other rows in one of the places; order does not count."""
    places: list[tuple[str, list[str]]] = [
        (f'research."{schema}"."{table}"', []),
        ("read_parquet($1)", [str(parquet / f"{table}.parquet")]),
    ]
    if with_made:
        places.append((f'made."{schema}"."{table}"', []))
    contents = [
        connection.execute(
            f"""
            select
                count(*),
                coalesce(bit_xor(hash(row_value)), 0),
                coalesce(sum(hash(row_value) % 1000003), 0)
            from {place} as row_value
            """,
            values,
        ).fetchall()
        for place, values in places
    ]
    return any(content != contents[0] for content in contents)


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


def _ways_out(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """The views and macros of the release: each could read another file."""
    for (name,) in connection.execute(
        """
        select view_name from duckdb_views() where database_name = 'research' and not internal
        union all
        select function_name from duckdb_functions() where database_name = 'research' and not internal
        """
    ).fetchall():
        yield str(name)
