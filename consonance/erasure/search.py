"""The search after an erasure: no store may hold a value unique to the participant, no release their names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb

from consonance.erasure.participant_tables import TEXTS, Relation, count_rows, relations
from consonance.erasure.record import ErasureRecord, attach_record
from consonance.erasure.unique_values import (
    KINDS,
    OF_A_STORE,
    RECORD,
    clocks_of,
    is_about_nobody,
    searched_columns,
)
from consonance.release.register import earlier_databases
from consonance.study.desk import DESK
from consonance.study.errors import ConsonanceError
from consonance.study.folder import Study
from consonance.study.schema import tables as declared_tables
from consonance.study.vault import attach_study, attach_to_read, lock_down, session_settings

STORES = ("vault", "warehouse", DESK)


class ErasureIncomplete(ConsonanceError):
    """Something of the participant was found after everything was erased."""


@dataclass
class Scan:
    """How the search ended: how many values it looked for, where, and each column that still holds one."""

    texts: int = 0
    moments: int = 0
    days: int = 0
    ids: int = 0
    tables: int = 0
    columns: int = 0
    rows: int = 0
    hits: dict[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.hits

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, **asdict(self)}


def search_stores(study: Study, erased: ErasureRecord) -> tuple[Scan, dict[str, dict[str, int]]]:
    """Search vault, warehouse and desk for the unique values, and the releases that stay for the names.

    Returns:
        How the search ended, and the participant's rows by store and table, which are none.

    Raises:
        ErasureIncomplete: something was found.
        StoreError, VaultKeyError: a store cannot be opened.
    """
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study, read_only=True)
        attach_record(connection, study)
        attach_to_read(connection, study.warehouse_path, "warehouse")
        if study.desk_path.exists():
            attach_to_read(connection, study.desk_path, DESK)
        releases = earlier_databases(study.published) if study.published.exists() else {}
        for number, path in releases.items():
            attach_to_read(connection, path, f"release_{number}")
        lock_down(connection, [])
        stores = {name: relations(connection, name) for name in STORES}
        published = [table for number in releases for table in relations(connection, f"release_{number}")]
        left = {name: count_rows(connection, tables, erased.people) for name, tables in stores.items()}
        scan = _search(connection, [table for name in STORES for table in stores[name]])
        _search_for_names(connection, published, [*erased.names, *erased.people.participant_id], scan)
    places = sorted(scan.hits) or [store for store, tables in left.items() if tables]
    if places:
        raise ErasureIncomplete(
            f"After the erasure, data of the participant were still found in {', '.join(places)}.",
            "No certificate was written. Run 'consonance withdraw' again. If the data are found again, please report it.",
        )
    return scan, left


def _search(connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation]) -> Scan:
    """Search every column of ``tables`` that could hold a unique value.

    What the study's own tables or the project's say is not searched for: it is said of nobody. Nor are the ids of
    the catalogue, by which features are found; its names are, since many millions of titles are among them.
    """
    kinds = _recorded_kinds(connection)
    scan = Scan()
    for kind in kinds:
        setattr(scan, kind, _count(connection, f"select count(*) from {RECORD}.{kind}"))
    said_of_nobody = [
        f"select {value} as value from {table.place}"
        for table in tables
        if is_about_nobody(table)
        for column, value in table.values(TEXTS)
        if column != table.key
    ]
    said_of_nobody += [
        f'select "{column.name}" as value from {table.place}'
        for table in declared_tables("catalogue.music").values()
        for column in table.columns.values()
        if column.text in ("uri", "words")
    ]
    connection.execute(
        f"create or replace temp table searched_texts as "
        f"select value from {RECORD}.texts anti join ({' union all '.join(said_of_nobody)}) using (value)"
    )
    for table in tables:
        _count_table(connection, table, scan)
        unique_values = {
            "texts": "searched_texts",
            **{kind: f"(select value from {RECORD}.{kind} where store = '{clocks_of(table)}')" for kind in OF_A_STORE},
            "ids": f"{RECORD}.ids",
        }
        for kind in kinds if not is_about_nobody(table) else ():
            for column, value in searched_columns(table, kind):
                found = _count(
                    connection,
                    f"select count(*) from (select {value} as value from {table.place}) "
                    f"semi join {unique_values[kind]} using (value)",
                )
                _note(scan, table, column, found)
    return scan


def _recorded_kinds(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The kinds of values that the record has: one of version 0.1, which goes on with this one, has no days."""
    found = connection.execute("select table_name from duckdb_tables() where database_name = $name", {"name": RECORD})
    recorded = {name for (name,) in found.fetchall()}
    return [kind for kind in KINDS if kind in recorded]


def _search_for_names(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], names: Sequence[str], scan: Scan
) -> None:
    """Search releases that stay, and add to ``scan``.

    The other unique values mean nothing there: times are on other clocks, ids are others, and a title may be of
    somebody whose rows the vault no longer holds.
    """
    for table in tables:
        _count_table(connection, table, scan)
        for column, value in table.values(TEXTS):
            found = _count(
                connection,
                f"select count(*) from (select {value} as value from {table.place}) where list_contains($names, value)",
                {"names": list(names)},
            )
            _note(scan, table, column, found)


def _count_table(connection: duckdb.DuckDBPyConnection, table: Relation, scan: Scan) -> None:
    scan.tables += 1
    scan.rows += _count(connection, f"select count(*) from {table.place}")


def _note(scan: Scan, table: Relation, column: str, found: int) -> None:
    scan.columns += 1
    if found:
        scan.hits[f"{table.database}.{table.name}.{column}"] = found


def _count(connection: duckdb.DuckDBPyConnection, statement: str, values: dict[str, Any] | None = None) -> int:
    return int(connection.execute(statement, values).fetchall()[0][0])
