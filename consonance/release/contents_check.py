"""The check of what is in a release: exactly the files, tables and columns of the tier's list, and nothing hidden in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from consonance.checks.check import CheckResult, listed
from consonance.checks.leaks.pages import ABSOLUTE_PATH
from consonance.release.contents import DATABASE, IF_MEASURED, PARQUET, controlled_tables, files_of, tables_of
from consonance.release.texts_check import WRITERS, problems_of_texts
from consonance.study.dbt_command import PROJECT
from consonance.study.vault import attach_to_read, session_settings

PATH_IN_IT = "has an absolute path in it"
# Who writes what is wrong, and so where to look.
LISTS = "consonance/release/{tier}_tables.yml"
PACKAGED = "consonance/release/package.py"
TITLE = "the title and the references in study.yml"
# Of the study there are the marts alone, and reference data. Tables for the study itself count what is in no release.
SCHEMAS = ("marts", "reference")


@dataclass(frozen=True)
class Problem:
    """Something that does not belong into a release, and the files to look at."""

    what: str
    look_at: tuple[str, ...] = (PACKAGED,)


def check_contents(folder: Path, tier: str, private_places: Iterable[Path]) -> CheckResult:
    """Compare a release, with its certificate, with the list of its tier.

    Args:
        folder: Of the release.
        tier: ``controlled`` or ``public``.
        private_places: Folders whose paths may not be in a file.
    """
    problems = [*_lists(tier), *_files(folder, tier), *_paths(folder, private_places)]
    if not any(problem.what.endswith("is missing") for problem in problems):
        problems += [
            Problem(f"{file}: {what}", (WRITERS[file], "consonance/release/certified.py"))
            for file, what in problems_of_texts(folder, tier)
        ]
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, folder / DATABASE, "research")
        found = _columns(connection)
        problems += [*_tables(found, tier), *_other_objects(connection), *_leftovers(connection)]
        for name in sorted(found.keys() & tables_of(tier).keys()):
            problems += _parquet(connection, folder / PARQUET / f"{name.partition('.')[2]}.parquet", found[name])
            if name.startswith("reference."):
                problems += _seed(connection, name)
    said = [problem.what for problem in problems]
    details = {"files": len(files_of(tier)), "tables": len(found), "problems": said}
    if problems:
        files = dict.fromkeys(file.format(tier=tier) for problem in problems for file in problem.look_at)
        return CheckResult("contents", False, listed(said), details, f"Look at {', '.join(files)}.")
    return CheckResult(
        "contents",
        True,
        f"Exactly the files, the {len(found)} tables and the columns of the list; no absolute path, no metadata, nothing deleted.",
        details,
    )


def _lists(tier: str) -> Iterator[Problem]:
    """Tables that may not be on the list of a tier."""
    for table in tables_of(tier):
        if table.partition(".")[0] not in SCHEMAS and table != IF_MEASURED:
            what = f"the table {table} may not be on the list: of the study only {' and '.join(SCHEMAS)} are released"
            yield Problem(what, (LISTS,))


def _files(folder: Path, tier: str) -> Iterator[Problem]:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    files = {name for name, path in found.items() if not path.is_dir() or path.is_symlink()}
    optional = {f"{PARQUET}/{IF_MEASURED.partition('.')[2]}.parquet"}
    yield from (_not_listed(f"the file {name}") for name in sorted(files - files_of(tier)))
    yield from (Problem(f"the file {name} is missing") for name in sorted(files_of(tier) - files - optional))
    yield from (Problem(f"{name} is a link") for name, path in sorted(found.items()) if path.is_symlink())
    yield from (
        _not_listed(f"the folder {name}") for name, path in sorted(found.items()) if path.is_dir() and name != PARQUET
    )


def _not_listed(what: str) -> Problem:
    return Problem(f"{what} is not on the list of the tier", (PACKAGED, "consonance/release/publish.py", LISTS))


def _paths(folder: Path, private_places: Iterable[Path]) -> Iterator[Problem]:
    """Whether a file says where the study or the project is on this machine, or has an absolute path at all."""
    places = [
        str(place).encode() for given in (*private_places, PROJECT, Path.home()) for place in {given, given.resolve()}
    ]
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            is_text = path.suffix not in (".duckdb", ".parquet")
            # A home such as "/root" is also the beginning of other words.
            named = any(place in content for place in places if len(place) > 8)
            if named or (is_text and re.search(ABSOLUTE_PATH.encode(), content)):
                writer = WRITERS.get(path.name, PACKAGED)
                yield Problem(
                    f"{path.relative_to(folder).as_posix()} {PATH_IN_IT}", (writer, TITLE) if is_text else (writer,)
                )


def _columns(connection: duckdb.DuckDBPyConnection) -> dict[str, list[str]]:
    """The columns of each table of the release, in order."""
    rows = connection.execute(
        """
        select schema_name || '.' || table_name, list(column_name order by column_index)
        from duckdb_columns() where database_name = 'research' and not internal group by all order by all
        """
    ).fetchall()
    return dict(rows)


def _tables(found: dict[str, list[str]], tier: str) -> Iterator[Problem]:
    listed = tables_of(tier)
    yield from (_not_listed(f"the table {table}") for table in sorted(found.keys() - listed.keys()))
    missing = [f"the table {table}" for table in sorted(listed.keys() - found.keys() - {IF_MEASURED})]
    for table in sorted(found.keys() & listed.keys()):
        columns = set(found[table])
        yield from (_not_listed(f"{table}.{name}") for name in found[table] if name not in listed[table])
        missing += [f"{table}.{name}" for name in listed[table] if name not in columns]
    yield from (Problem(f"{place} is missing", (PACKAGED, LISTS)) for place in missing)


def _other_objects(connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    """What is in the database beside tables: views and macros could read another file, a type could hold values."""
    for kind, name in connection.execute(
        """
        select 'view', view_name from duckdb_views() where database_name = 'research' and not internal
        union all
        select distinct 'macro', function_name from duckdb_functions() where database_name = 'research' and not internal
        union all
        select 'type', type_name from duckdb_types() where database_name = 'research' and not internal
        union all
        select 'sequence', sequence_name from duckdb_sequences() where database_name = 'research'
        union all
        select 'index', index_name from duckdb_indexes() where database_name = 'research'
        order by all
        """
    ).fetchall():
        yield Problem(f"the {kind} {name} is in the database: it might hold values, or read another file")


def _leftovers(connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    """Whether the file has pages that no table uses: rows that were deleted can still be read in them."""
    ((free,),) = connection.execute(
        "select free_blocks from pragma_database_size() where database_name = 'research'"
    ).fetchall()
    if free:
        yield Problem(f"{DATABASE} has {free} blocks that no table uses; deleted rows may be in them")


def _parquet(connection: duckdb.DuckDBPyConnection, path: Path, columns: list[str]) -> Iterator[Problem]:
    if not path.is_file():
        return  # a missing file is a problem already
    described = connection.execute("select * from read_parquet($1) limit 0", [str(path)]).description or []
    if [name for name, *_ in described] != columns:
        yield Problem(f"{PARQUET}/{path.name} has other columns than the table")
    if connection.execute("select 1 from parquet_kv_metadata($1)", [str(path)]).fetchall():
        yield Problem(f"{PARQUET}/{path.name} has metadata beside its columns")


def _seed(connection: duckdb.DuckDBPyConnection, table: str) -> Iterator[Problem]:
    """Whether a table of reference data has other rows than its file in seeds/."""
    name = table.partition(".")[2]
    file = PROJECT / "seeds" / f"{name}.csv"
    columns = ", ".join(f'"{column}"' for column in controlled_tables()[table])
    connection.execute(f"create or replace temp table seed as select {columns} from research.{table} limit 0")
    try:
        connection.execute(
            f"insert into seed select {columns} from read_csv($1, all_varchar = true, header = true)", [str(file)]
        )
    except duckdb.Error:
        yield Problem(f"seeds/{name}.csv does not have the columns of {table}", (f"seeds/{name}.csv",))
        return
    ((differing,),) = connection.execute(
        f"""
        select count(*)
        from (
            (select {columns} from seed except all select {columns} from research.{table})
            union all
            (select {columns} from research.{table} except all select {columns} from seed)
        )
        """
    ).fetchall()
    if differing:
        yield Problem(
            f"{table} has {differing} rows that differ from seeds/{name}.csv", (PACKAGED, f"seeds/{name}.csv")
        )
