"""Non-interference (L2) and canaries (L3): who people are makes no difference right of the wall.

A twin of the vault is made in which only the identifying inputs are changed (names, codes, user
names, devices, uploads, every secret of the keyring; see ``twin.sql``), the warehouse is built from
it, and everything right of the wall is compared: identical, once pseudonyms are matched up and each
person's shift is undone, or the differing column is named. Lineage cannot see what joins, filters
and counts give away; this does. Every changed text holds a word that occurs nowhere else: it must
not occur right of the wall.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import psutil

from consonance.consent.rules import with_rules
from consonance.study.copies import copy_stores
from consonance.study.dbt_command import run_dbt
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores, tables
from consonance.study.vault import (
    attach_study,
    attach_to_read,
    attach_vault,
    attach_warehouse,
    lock_down,
    open_study,
    prepare,
    session_settings,
)

SQL = Path(__file__).with_name("non_interference.sql")
FOLDER = ".twin-"

# Ids of records are keyed with a secret of the person, so they differ in the twin, and must.
RECORD_IDS = ("play_id", "session_id", "report_id")
SIDES = ("one", "other")
# Texts of donated rows, neither titles nor URIs nor words of lists, that non_interference.sql changes.
CHANGED = ("platform",)
# What of the donated rows the twin takes over, to be changed in place where it identifies. A new text that the twin
# would not change is not in it, and dbt says so.
TAKEN_OVER = {
    table: tuple(
        column.name for column in tables()[table].columns.values() if column.text != "given" or column.name in CHANGED
    )
    for table in ("extended_plays", "account_plays", "library_items")
}
# What no model makes: figures of an attack on a finished warehouse, the note of a run at the desk.
NOT_MODELS = ("audit.privacy_risk", "desk.made_relations")


class NothingToCompare(ConsonanceError):
    """The study has no warehouse yet."""


@dataclass(frozen=True)
class Difference:
    """One thing right of the wall that depends on who people are, or gives it away."""

    relation: str
    column: str
    what: str


@dataclass
class NonInterferenceReport:
    """How the comparison turned out."""

    relations: int = 0
    columns: int = 0
    rows: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return self.relations > 0 and not self.differences

    @property
    def summary(self) -> str:
        """One sentence."""
        compared = f"{self.relations} relations, {self.columns} columns and {self.rows:,} rows compared"
        if self.passed:
            return f"With other names, devices and secrets the result is the same: {compared}."
        if not self.differences:
            return "There was nothing to compare."
        first = self.differences[0]
        place = f"{first.relation}.{first.column}" if first.column else first.relation
        return f"The result depends on who people are: {place} {first.what} ({compared})."

    def details(self) -> dict[str, Any]:
        """The report as JSON."""
        return asdict(self)


def compare_with_paired_rebuild(study: Study, meanwhile: Callable[[], None] = lambda: None) -> NonInterferenceReport:
    """Build the twin of ``study`` inside its folder, compare, and remove the twin.

    Args:
        study: Loaded and built.
        meanwhile: Is called while dbt builds the twin. The stores of the study are free then.

    Raises:
        NothingToCompare: there is no warehouse yet.
        DbtFailed: the twin's warehouse could not be built.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    if not study.warehouse_path.exists():
        raise NothingToCompare(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    with _place_for_twin(study) as root:
        marker = "canary" + secrets.token_hex(4)
        twin = make_twin(study, root, marker)
        with ThreadPoolExecutor(1) as other:
            context = copy_context()
            building = other.submit(lambda: context.run(run_dbt, twin, "run", "--no-write-json", workspace=root))
            meanwhile()
            building.result()
        with open_study(twin, read_only=True) as connection:
            codes = connection.execute("select participant_code, other_code from vault.codes").fetchall()
        return compare_studies(study, twin, codes, marker)


def compare_studies(study: Study, twin: Study, codes: Iterable[tuple[str, str]], marker: str) -> NonInterferenceReport:
    """Compare the warehouses of two studies of the same people.

    Args:
        study, twin: Both loaded and built.
        codes: Who is who: participant codes of the one and of the other.
        marker: A text that occurs only in what identifies people in the twin.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True)
        attach_vault(connection, twin, "twin", read_only=True)
        attach_to_read(connection, study.warehouse_path, "one")
        attach_to_read(connection, twin.warehouse_path, "other")
        lock_down(connection, [])
        return _compared(connection, codes, marker)


@contextmanager
def _place_for_twin(study: Study) -> Iterator[Path]:
    """A folder in the study that goes in the end; those of checks that were killed go now."""
    for left in study.root.glob(f"{FOLDER}*"):
        owner = left.name.removeprefix(FOLDER)
        if not owner.isdecimal() or not psutil.pid_exists(int(owner)):
            shutil.rmtree(left, ignore_errors=True)
    root = study.root / f"{FOLDER}{os.getpid()}"
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def make_twin(study: Study, root: Path, marker: str) -> Study:
    """Make the twin of a study's vault in the new folder ``root``; every changed text of it holds ``marker``.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        attach_vault(connection, study, "original", read_only=True)
        attach_to_read(connection, study.catalogue_path, "facts")
        attach_warehouse(connection, study)
        twin = copy_stores(study, [study.vault_path, study.catalogue_path], root)
        connection.execute("detach facts")
        attach_study(connection, twin)
        lock_down(connection, [])
        _take_over_rows(connection)
        connection.execute("set variable marker = $marker", {"marker": marker})
        connection.execute(with_rules(SQL.read_text(encoding="utf-8")))
    return twin


def _take_over_rows(connection: duckdb.DuckDBPyConnection) -> None:
    """Leave nothing in the copied vault but its version and the columns of ``TAKEN_OVER``, and empty tables."""
    relations = connection.execute(
        """
        select 'view', schema_name, view_name from duckdb_views() where database_name = 'vault' and not internal
        union all
        select 'table', schema_name, table_name from duckdb_tables() where database_name = 'vault'
        """
    ).fetchall()
    for kind, schema, name in relations:
        if schema != "raw" or name not in (*TAKEN_OVER, "store_version"):
            connection.execute(f'drop {kind} vault."{schema}"."{name}"')
    for table, columns in TAKEN_OVER.items():
        for (column,) in connection.execute(
            "select column_name from duckdb_columns() where database_name = 'vault' and schema_name = 'raw' and table_name = $table",
            {"table": table},
        ).fetchall():
            if column not in columns:
                connection.execute(f'alter table vault.raw.{table} drop column "{column}"')
    lay_out_stores(connection)


def _compared(
    connection: duckdb.DuckDBPyConnection, codes: Iterable[tuple[str, str]], marker: str
) -> NonInterferenceReport:
    connection.execute("create temp table codes (participant_code varchar, other_code varchar)")
    if pairs := [list(pair) for pair in codes]:  # of a study with nobody there are none
        connection.executemany("insert into codes values (?, ?)", pairs)
    connection.execute(
        """
        create temp table persons as
        select
            row_number() over (order by keys.participant_no) as person,
            keys.pseudonym as one_pseudonym, keys.shift_weeks as one_shift,
            others.pseudonym as other_pseudonym, others.shift_weeks as other_shift
        from vault.raw.keyring as keys
        inner join codes on codes.participant_code = keys.participant_code
        inner join twin.raw.keyring as others on others.participant_code = codes.other_code
        """
    )
    report = NonInterferenceReport()
    ours, theirs = _tables(connection, "one"), _tables(connection, "other")
    for relation in sorted(ours.keys() ^ theirs.keys()):
        if relation not in NOT_MODELS:
            report.differences.append(Difference(relation, "", "is there in only one of the two"))
    for relation in sorted(ours.keys() & theirs.keys()):
        if ours[relation] != theirs[relation]:
            report.differences.append(Difference(relation, "", "has other columns, types or comments"))
            continue
        _compare_relation(connection, relation, ours[relation], marker, report)
    return report


# Of a relation: its comment, and its columns, each with type and comment.
Shape = tuple[str | None, tuple[tuple[str, str, str | None], ...]]


def _tables(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Shape]:
    rows = connection.execute(
        """
        select
            columns.schema_name || '.' || columns.table_name,
            any_value(tables.comment),
            list({'name': columns.column_name, 'type': columns.data_type, 'comment': columns.comment} order by columns.column_index)
        from duckdb_columns() as columns
        left join duckdb_tables() as tables
            on tables.database_name = columns.database_name
            and tables.schema_name = columns.schema_name
            and tables.table_name = columns.table_name
        where columns.database_name = $database and not columns.internal
        group by all
        """,
        {"database": database},
    ).fetchall()
    return {
        relation: (comment, tuple((column["name"], column["type"], column["comment"]) for column in columns))
        for relation, comment, columns in rows
    }


def _compare_relation(
    connection: duckdb.DuckDBPyConnection, relation: str, shape: Shape, marker: str, report: NonInterferenceReport
) -> None:
    types = {name: data_type for name, data_type, _ in shape[1]}
    report.relations += 1
    report.columns += len(types)
    has_person = "participant_id" in types
    for name, data_type in types.items():
        if not has_person and _is_temporal(data_type):
            report.differences.append(Difference(relation, name, "is a time that belongs to nobody"))
    (rows, whole), (other_rows, other_whole) = (
        connection.execute(_fingerprint(relation, types, side, whole=True)).fetchall()[0] for side in SIDES
    )
    report.rows += rows
    if rows != other_rows:
        report.differences.append(Difference(relation, "", f"has {rows:,} rows, or {other_rows:,}"))
        return
    report.differences += [
        Difference(relation, name, "does not depend on any secret: it can be guessed")
        for name in types
        if name in RECORD_IDS and _shares_values(connection, relation, name)
    ]
    # What is equal to what has no canary has none; but ids are not compared.
    texts = [name for name in types if types[name] == "VARCHAR" and (whole != other_whole or name.endswith("_id"))]
    report.differences += [
        Difference(relation, name, "holds a canary that was planted in what identifies")
        for name, found in zip(texts, _with_marker(connection, relation, texts, marker), strict=True)
        if found
    ]
    if whole == other_whole:
        return
    (_, *columns), (_, *other_columns) = (
        connection.execute(_fingerprint(relation, types, side, whole=False)).fetchall()[0] for side in SIDES
    )
    differing = [name for name, one, other in zip(types, columns, other_columns, strict=True) if one != other]
    report.differences += [Difference(relation, name, "depends on who people are") for name in differing]
    if not differing:
        report.differences.append(
            Difference(relation, "", "holds the same values in combinations that depend on who people are")
        )


def _shares_values(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Whether a value of the column occurs in both warehouses."""
    ((shared,),) = connection.execute(
        f'select count(*) from (select "{column}" from one.{relation} intersect select "{column}" from other.{relation})'
    ).fetchall()
    return bool(shared)


def _with_marker(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str], marker: str
) -> tuple[int, ...]:
    """For each of the text columns in how many rows of the twin it holds the marker."""
    counts = ", ".join(f"count(*) filter (where contains(lower(\"{name}\"), '{marker}'))" for name in columns)
    return tuple(connection.execute(f"select {counts} from other.{relation}").fetchall()[0]) if columns else ()


def _fingerprint(relation: str, types: dict[str, str], side: str, *, whole: bool) -> str:
    """A query for one row: the number of rows, and a sum of hashes of whole rows or one for each column.

    The sum of 64-bit hashes does not depend on order. Pseudonyms are replaced by numbers, ids of
    records and of private tracks left out, shifts taken back, means rounded: the order in which
    threads add is not always the same.
    """
    has_person = "participant_id" in types
    values = []
    for name, data_type in types.items():
        column = f'relation."{name}"'
        if name == "participant_id":
            values.append(f"coalesce(cast(persons.person as varchar), {column})")
        elif name in RECORD_IDS:
            values.append(f"({column} is null)")
        elif name == "track_id":
            values.append(f"case when private_tracks.track_id is null then {column} end")
        elif has_person and _is_temporal(data_type):
            values.append(f"(cast({column} as timestamp) - to_days(7 * coalesce(persons.{side}_shift, 0)))")
        elif data_type in ("DOUBLE", "FLOAT"):
            values.append(f"round({column}, 9)")
        else:
            values.append(column)
    person = "persons.person" if has_person else "0"
    hashed = [", ".join(values)] if whole else [f"{person}, {value}" for value in values]
    sums = ", ".join(f"sum(hash({what}))" for what in hashed)
    joins = ""
    if has_person:
        joins += f" left join persons on persons.{side}_pseudonym = relation.participant_id"
    if "track_id" in types:
        joins += (
            f" left join (select distinct track_id from {side}.anonymized.anon_tracks where is_private) as private_tracks"
            " on private_tracks.track_id = relation.track_id"
        )
    return f"select count(*), {sums} from {side}.{relation} as relation{joins}"


def _is_temporal(data_type: str) -> bool:
    return data_type == "DATE" or data_type.startswith("TIMESTAMP")
