"""The desk: ``analysis.duckdb``, the file that analysts open.

Each complete run of dbt writes it beside the old one and renames it over that. Who has the old file open goes on reading
it, and sees nothing of the new one before opening it again. So no reader waits for a run, and no run for a reader. A run of
some models alone, or one that fails, leaves the desk as it is: it never shows a part of a build.

It has plain tables, with their descriptions: no view, no macro, nothing that was deleted. Nobody writes to it: a client
that opened it for writing would shut all others out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import duckdb
import psutil

from consonance.study.errors import ConsonanceError
from consonance.study.files import log_of, remove_database, sync
from consonance.study.folder import Study
from consonance.study.literals import literal
from consonance.study.vault import attach_to_read, attach_to_write, attach_warehouse, lock_down, session_settings

# The layers that analysts read.
LAYERS = ("marts", "audit", "reference")
DESK = "desk"
READ_ONLY = 0o400


class DeskNotWritten(ConsonanceError):
    """The new desk could not be written; the old one is as it was."""


def files_to_write(study: Study) -> list[Path]:
    """The files that ``write_desk`` writes, with those that DuckDB needs beside them for a moment."""
    draft = study.new_desk_path.absolute()
    log = log_of(draft)
    return [draft, *(log.with_name(log.name + end) for end in ("", ".checkpoint", ".recovery"))]


def write_desk(connection: duckdb.DuckDBPyConnection, study: Study, tables: Sequence[str]) -> None:
    """Write the tables of ``LAYERS`` into a fresh file, in the order of their rows, and replace the desk by it.

    Args:
        connection: Its current database is the warehouse. It may write ``files_to_write``.
        study: Whose desk.
        tables: What the project makes, each as ``schema.table``; those of other layers are left out.

    Raises:
        DeskNotWritten: the disk is full, or the folder cannot be written to.
    """
    draft = study.new_desk_path.absolute()
    shown = sorted(table for table in tables if table.split(".")[0] in LAYERS)
    try:
        remove_database(draft)
        attach_to_write(connection, draft, DESK)
        try:
            connection.execute("; ".join(_statements(connection, shown)))
            connection.execute(f"checkpoint {DESK}")
        finally:
            with suppress(duckdb.Error):
                connection.execute(f"detach {DESK}")
        draft.chmod(READ_ONLY)
        sync(draft)
        # What a client that could write left beside the old file is not of the new one.
        log_of(study.desk_path).unlink(missing_ok=True)
        draft.replace(study.desk_path)
        sync(study.root)
    except (duckdb.IOException, OSError) as error:
        remove_database(draft)
        why = error.strerror if isinstance(error, OSError) and error.strerror else "the disk may be full"
        raise DeskNotWritten(
            f"{study.desk_path} was not replaced ({why}); it shows the run before.",
            "Make room on the disk, see that you may write to the study folder, and run 'dbt run' again.",
        ) from None


def readers_of_former(study: Study) -> list[str]:
    """The processes that still have a desk open which has been replaced: until they close it, they can read what it had.

    Returns:
        Name and number of each. Nothing on systems that do not list what processes have open (``/proc``).
    """
    former = f"{study.desk_path.absolute()} (deleted)"
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError, psutil.Error):
            if str(link.readlink()) == former:
                number = int(link.parts[2])
                found.add((number, psutil.Process(number).name()))
    return [f"{name} (process {number})" for number, name in sorted(found)]


def differences(study: Study) -> Iterator[str]:
    """What the desk has that the warehouse has not, or otherwise: each in a few words that hold no value.

    After a complete run there is nothing: tables, columns, descriptions and rows are the same, in the same order. The
    warehouse may have more: tables of the operator's own.

    Raises:
        StoreError: one of the two cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, study.desk_path, DESK)
        attach_warehouse(connection, study)
        lock_down(connection, [])
        there, shown = _described(connection, "warehouse"), _described(connection, DESK)
        wanted = {table for table in there if table.split(".")[0] in LAYERS}
        yield from (f"has a table {table}, which the warehouse has not" for table in sorted(shown.keys() - wanted))
        for table in sorted(wanted & shown.keys()):
            if there[table] != shown[table]:
                yield f"has other columns or descriptions of {table}"
            elif len({_rows(connection, f"{database}.{table}") for database in ("warehouse", DESK)}) > 1:
                yield f"has other rows of {table}, or in another order"
        yield from _beside_tables(connection)


def _statements(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Iterator[str]:
    """What makes the desk: in one transaction, so that one statement for each table is all there is to write."""
    yield "begin"
    yield from (f"create schema {DESK}.{schema}" for schema in LAYERS)
    yield from (f"create table {DESK}.{table} as from {table}" for table in tables)
    for table, column, comment in _comments(connection, tables):
        place = f'column {DESK}.{table}."{column}"' if column else f"table {DESK}.{table}"
        yield f"comment on {place} is {literal(comment)}"
    yield "commit"


def _comments(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The descriptions of ``tables`` (under an empty name) and of their columns, each with its table."""
    # No parameter: for the first one DuckDB imports pandas, which costs half a second.
    described = connection.execute(
        """
        select schema_name || '.' || table_name, '', comment
        from duckdb_tables()
        where database_name = current_database() and comment is not null
        union all
        select schema_name || '.' || table_name, column_name, comment
        from duckdb_columns()
        where database_name = current_database() and comment is not null
        """
    ).fetchall()
    return ((table, column, comment) for table, column, comment in described if table in tables)


def _described(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, tuple[object, ...]]:
    """The tables of ``database``, with columns and descriptions."""
    found = connection.execute(
        """
        select schema_name || '.' || table_name, tables.comment, list((column_name, data_type, columns.comment) order by column_index)
        from duckdb_columns() as columns
        inner join duckdb_tables() as tables using (database_name, schema_name, table_name)
        where database_name = $database and not columns.internal
        group by all
        """,
        {"database": database},
    ).fetchall()
    return {table: tuple(described) for table, *described in found}


def _rows(connection: duckdb.DuckDBPyConnection, place: str) -> tuple[int, int]:
    """The number of rows of a table, and the sum of the hashes of each row with its place."""
    ((rows, hashes),) = connection.execute(
        f"select count(*), cast(coalesce(sum(hash(whole_row.rowid, whole_row)), 0) as hugeint) from {place} as whole_row"
    ).fetchall()
    return rows, hashes


def _beside_tables(connection: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """What else is in the file."""
    ((others, free),) = connection.execute(
        f"""
        select
            (select count(*) from duckdb_views() where database_name = '{DESK}' and not internal)
            + (select count(*) from duckdb_functions() where database_name = '{DESK}' and not internal)
            + (select count(*) from duckdb_types() where database_name = '{DESK}' and not internal)
            + (select count(*) from duckdb_sequences() where database_name = '{DESK}')
            + (select count(*) from duckdb_indexes() where database_name = '{DESK}'),
            (select free_blocks from pragma_database_size() where database_name = '{DESK}')
        """
    ).fetchall()
    if others:
        yield "has views, macros, types, sequences or indexes beside its tables"
    if free:
        yield "has blocks that no table uses; deleted rows may be in them"
