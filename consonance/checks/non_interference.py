"""The non-interference test (L2) and canaries (L3): who people are makes no difference right of the wall.

The warehouse is built again from the same study with other identities (``paired_rebuild``), and everything right of
the wall is compared. Once pseudonyms are matched and each person's shift is taken back, both are the same, or the
column that differs is named. Lineage cannot see what joins, filters and counts give away; this test does. Every
changed text holds a word that occurs nowhere else, a canary: it must not occur right of the wall.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache
from typing import Any

import duckdb

from consonance.checks.paired_rebuild import folder_for_rebuild, make_paired_study
from consonance.study.child_processes import in_background
from consonance.study.dbt_command import run_dbt
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.keyring import RECORD_IDS
from consonance.study.shared_macros import with_macros
from consonance.study.vault import (
    attach_study,
    attach_to_read,
    attach_vault,
    lock_down,
    open_study,
    session_settings,
)

# Ids of tracks: those of private tracks are keyed, too.
TRACK_IDS = ("track_id", "playing_track_id")
# The column that is made of the pseudonym: where it is what it must be, it is left out (rule M7 checks that it is).
FOLD = "fold"
# The two warehouses, as they are attached.
SIDES = ("original", "rebuilt")
# What no model makes: the figures of the attacks, the note of a run at the desk.
NOT_MODELS = ("audit.privacy_risk", "desk.made_relations")

# Of a relation: its comment, and its columns, each with type and comment.
Shape = tuple[str | None, tuple[tuple[str, str, str | None], ...]]


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
    """The result of the comparison: how much was compared, and what differs."""

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
    """Build the paired rebuild of ``study`` inside its folder, compare, and delete it again.

    Args:
        study: Loaded and built.
        meanwhile: Is called while dbt builds. The stores of the study are not in use then.

    Raises:
        NothingToCompare: there is no warehouse yet.
        DbtFailed: the paired rebuild failed.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    if not study.warehouse_path.exists():
        raise NothingToCompare(f"{study.root} has no warehouse yet.", "Run 'dbt run' first.")
    with folder_for_rebuild(study) as root:
        marker = "canary" + secrets.token_hex(4)
        paired = make_paired_study(study, root, marker)
        with in_background(lambda: run_dbt(paired, "run", "--no-write-json", workspace=root)) as building:
            meanwhile()
            building.result()
        with open_study(paired, read_only=True) as connection:
            codes = connection.execute("select participant_code, other_code from vault.codes").fetchall()
        return compare_studies(study, paired, codes, marker)


def compare_studies(
    study: Study, paired: Study, codes: Iterable[tuple[str, str]], marker: str
) -> NonInterferenceReport:
    """Compare the warehouses of two studies of the same people.

    Args:
        study, paired: Both loaded and built.
        codes: Who is who: participant codes in ``study`` and in ``paired``.
        marker: A text that occurs only in what identifies people in ``paired``.

    Raises:
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True)
        attach_vault(connection, paired, "paired", read_only=True)
        attach_to_read(connection, study.warehouse_path, "original")
        attach_to_read(connection, paired.warehouse_path, "rebuilt")
        lock_down(connection, [])
        _match_persons(connection, codes)
        return _compare(connection, marker)


def _match_persons(connection: duckdb.DuckDBPyConnection, codes: Iterable[tuple[str, str]]) -> None:
    """Make the table ``persons``: each person's pseudonym and shift on both sides."""
    connection.execute("create temp table codes (participant_code varchar, other_code varchar)")
    if pairs := [list(pair) for pair in codes]:  # of a study with nobody there are none
        connection.executemany("insert into codes values (?, ?)", pairs)
    connection.execute(
        """
        create temp table persons as
        select
            row_number() over (order by keys.participant_no) as person,
            keys.pseudonym as original_pseudonym,
            keys.shift_weeks as original_shift,
            others.pseudonym as rebuilt_pseudonym,
            others.shift_weeks as rebuilt_shift
        from vault.raw.keyring as keys
        inner join codes on codes.participant_code = keys.participant_code
        inner join paired.raw.keyring as others on others.participant_code = codes.other_code
        """
    )


def _compare(connection: duckdb.DuckDBPyConnection, marker: str) -> NonInterferenceReport:
    report = NonInterferenceReport()
    original, rebuilt = (_shapes(connection, side) for side in SIDES)
    for relation in sorted(original.keys() ^ rebuilt.keys()):
        if relation not in NOT_MODELS:
            report.differences.append(Difference(relation, "", "exists in only one of the two warehouses"))
    for relation in sorted(original.keys() & rebuilt.keys()):
        if original[relation] != rebuilt[relation]:
            report.differences.append(Difference(relation, "", "has other columns, types or comments"))
            continue
        types = {name: data_type for name, data_type, _ in original[relation][1]}
        report.relations += 1
        report.columns += len(types)
        counted = connection.execute(f"select count(*) from original.{relation}").fetchall()
        report.rows += counted[0][0]
        report.differences += _differences(connection, relation, types, marker)
    return report


def _shapes(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Shape]:
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


def _differences(
    connection: duckdb.DuckDBPyConnection, relation: str, types: dict[str, str], marker: str
) -> Iterator[Difference]:
    """What differs in a relation that has the same columns on both sides."""
    if "participant_id" not in types:
        for name, data_type in types.items():
            if _is_temporal(data_type):
                yield Difference(relation, name, "has a time, but the table has no participants")
    (rows, whole), (other_rows, other_whole) = _fingerprints(connection, relation, types, whole=True)
    if rows != other_rows:
        yield Difference(relation, "", f"has {rows:,} rows, and {other_rows:,} in the paired rebuild")
        return
    for name in types:
        if name in RECORD_IDS and _shares_values(connection, relation, name):
            yield Difference(relation, name, "does not depend on any secret: it can be guessed")
    # A text that equals one without a canary has none; but ids are not compared.
    texts = [name for name in types if types[name] == "VARCHAR" and (whole != other_whole or name.endswith("_id"))]
    for name, found in zip(texts, _with_marker(connection, relation, texts, marker), strict=True):
        if found:
            yield Difference(relation, name, "contains a canary, which was planted in an identifying field")
    if whole != other_whole:
        yield from _differing_columns(connection, relation, types)


def _differing_columns(
    connection: duckdb.DuckDBPyConnection, relation: str, types: dict[str, str]
) -> Iterator[Difference]:
    (_, *columns), (_, *other_columns) = _fingerprints(connection, relation, types, whole=False)
    differing = [name for name, one, other in zip(types, columns, other_columns, strict=True) if one != other]
    for name in differing:
        yield Difference(relation, name, "depends on who people are")
    if not differing:
        yield Difference(relation, "", "has the same values, but their combinations depend on who people are")


def _shares_values(connection: duckdb.DuckDBPyConnection, relation: str, column: str) -> bool:
    """Whether a value of the column occurs in both warehouses."""
    ((shared,),) = connection.execute(
        f"""
        select count(*)
        from (
            select "{column}" from original.{relation} where "{column}" is not null
            intersect
            select "{column}" from rebuilt.{relation}
        )
        """
    ).fetchall()
    return bool(shared)


def _with_marker(
    connection: duckdb.DuckDBPyConnection, relation: str, columns: list[str], marker: str
) -> tuple[int, ...]:
    """For each of the text columns, in how many rows of the rebuild it holds the marker."""
    counts = ", ".join(f"count(*) filter (where contains(lower(\"{name}\"), '{marker}'))" for name in columns)
    return tuple(connection.execute(f"select {counts} from rebuilt.{relation}").fetchall()[0]) if columns else ()


def _fingerprints(
    connection: duckdb.DuckDBPyConnection, relation: str, types: dict[str, str], *, whole: bool
) -> list[tuple[Any, ...]]:
    """The fingerprint of a relation on each side; see ``_fingerprint``."""
    return [connection.execute(_fingerprint(relation, types, side, whole=whole)).fetchall()[0] for side in SIDES]


def _fingerprint(relation: str, types: dict[str, str], side: str, *, whole: bool) -> str:
    """A query for one row: the number of rows, and a sum of hashes of whole rows, or one sum for each column.

    The sum of 64-bit hashes does not depend on order. Pseudonyms are replaced by numbers, ids of records and of
    private tracks and the folds of pseudonyms are left out, shifts are taken back. Means are rounded: the order in which threads add is not
    always the same.
    """
    has_person = "participant_id" in types
    values = [_comparable(name, data_type, side, has_person=has_person) for name, data_type in types.items()]
    person = "persons.person" if has_person else "0"
    hashed = [", ".join(values)] if whole else [f"{person}, {value}" for value in values]
    sums = ", ".join(f"sum(hash({what}))" for what in hashed)
    joins = ""
    if has_person:
        joins += f" left join persons on persons.{side}_pseudonym = relation.participant_id"
    for name in TRACK_IDS:
        if name in types:
            joins += (
                f" left join (select distinct track_id from {side}.anonymized.anon_tracks where is_private) as private_{name}"
                f" on private_{name}.track_id = relation.{name}"
            )
    return f"select count(*), {sums} from {side}.{relation} as relation{joins}"


def _comparable(name: str, data_type: str, side: str, *, has_person: bool) -> str:
    """SQL for a column's value without what must differ between the two sides."""
    column = f'relation."{name}"'
    if name == "participant_id":
        return f"coalesce(cast(persons.person as varchar), {column})"
    if name in RECORD_IDS:
        return f"({column} is null)"
    if name == FOLD and has_person:
        return f"nullif({column}, {_fold_of('relation.participant_id')})"
    if name in TRACK_IDS:
        return f"case when private_{name}.track_id is null then {column} end"
    if has_person and _is_temporal(data_type):
        return f"(cast({column} as timestamp) - to_days(7 * coalesce(persons.{side}_shift, 0)))"
    if data_type in ("DOUBLE", "FLOAT"):
        return f"round({column}, 9)"
    return column


@cache
def _fold_of(participant_id: str) -> str:
    return with_macros(f"{{{{ fold_of('{participant_id}') }}}}", ("folds.sql",))


def _is_temporal(data_type: str) -> bool:
    return data_type == "DATE" or data_type.startswith("TIMESTAMP")
