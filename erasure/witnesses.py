"""What only certain people's rows hold: the values by which an erasure is judged.

Before anything is erased, every text, moment and id is taken down that occurs in their rows and in
nobody else's. Afterwards every table is searched for them. A byte scan would not do: under DuckDB's
compression it sees nothing even before the deletion.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb

from erasure.holdings import TEXTS, People, Relation

# Kind of witness to the types of the columns that may hold it.
KINDS = {"texts": TEXTS, "moments": ("TIMESTAMP",), "ids": ("BIGINT",)}
# The only whole numbers that are made of a secret: ids of records. Others are counts and lengths.
ID_COLUMNS = ("play_id", "session_id", "report_id")
# Tables of the vault that tell of the study, and of the warehouse what the project brings along: what
# they hold is nobody's. The ledger's own words stay, under another name.
OF_NOBODY = ("raw.notices", "raw.study", "raw.consent_events", "raw.ledger_lines", "raw.audit_log", "raw.secrets")
OF_THE_PROJECT = "reference"


@dataclass
class Scan:
    """How the search ended: how many witnesses, where it looked, and each column that still holds one."""

    texts: int = 0
    moments: int = 0
    ids: int = 0
    tables: int = 0
    columns: int = 0
    rows: int = 0
    hits: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        return not self.hits

    def as_json(self) -> dict[str, Any]:
        return {"holds": self.holds, **asdict(self)}


def take_down(connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], people: People) -> None:
    """Write into ``operation.texts``, ``.moments`` and ``.ids`` what only ``people`` have.

    Args:
        connection: With the database ``operation`` attached for writing.
        tables: Of vault and warehouse.
        people: Whose.
    """
    connection.execute("create table operation.texts (value varchar primary key)")
    connection.execute("create table operation.moments (value timestamp primary key)")
    connection.execute("create table operation.ids (value bigint primary key)")
    connection.execute("insert into operation.texts select unnest($codes)", {"codes": list(people.participant_code)})
    for kind in KINDS:
        for table in tables:
            whose = table.whose(people)
            if not whose or table.name in OF_NOBODY:
                continue
            for _, value in _columns(table, kind):
                connection.execute(
                    f"insert or ignore into operation.{kind} "
                    f"select distinct value from (select {value} as value from {table.place} where list_contains($whose, {table.key})) "
                    "where value is not null and cast(value as varchar) <> ''",
                    {"whose": whose},
                )
        if kind == "ids":
            continue  # nobody else has an id that is made of one's own secret
        for table in tables:
            if not _may_exclude(table):
                continue
            whose = table.whose(people)
            others = f"where not coalesce(list_contains($whose, {table.key}), false)" if whose else ""
            for _, value in _columns(table, kind):
                connection.execute(
                    f"""
                    delete from operation.{kind} where value in (
                        select value from (select {value} as value from {table.place} {others})
                        semi join operation.{kind} as witnesses using (value)
                    )
                    """,
                    {"whose": whose} if whose else {},
                )
    # A track is known by its URI in the vault, and elsewhere by the id that ends it too.
    connection.execute(
        """
        insert or ignore into operation.texts
        select split_part(value, ':', 3) from operation.texts where regexp_full_match(value, 'spotify:[a-z]+:[0-9A-Za-z]{22}')
        """
    )


def search(connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation]) -> Scan:
    """Look for the witnesses of ``operation`` in every column of ``tables`` that could hold one."""
    texts, moments, ids = (_count(connection, f"select count(*) from operation.{kind}") for kind in KINDS)
    scan = Scan(texts, moments, ids)
    for table in tables:
        scan.tables += 1
        scan.rows += _count(connection, f"select count(*) from {table.place}")
        for kind in KINDS:
            for column, value in _columns(table, kind):
                scan.columns += 1
                found = _count(
                    connection,
                    f"select count(*) from (select {value} as value from {table.place}) semi join operation.{kind} using (value)",
                )
                if found:
                    scan.hits[f"{table.database}.{table.name}.{column}"] = found
    return scan


def search_for_names(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], names: Sequence[str], scan: Scan
) -> None:
    """Look for ``names`` in releases that stay, and add what is found to ``scan``.

    There the other witnesses tell nothing: times are on other clocks, ids are others, and a title may be of
    somebody whose rows the vault no longer holds.
    """
    for table in tables:
        scan.tables += 1
        scan.rows += _count(connection, f"select count(*) from {table.place}")
        for column, value in _columns(table, "texts"):
            scan.columns += 1
            found = connection.execute(
                f"select count(*) from (select {value} as value from {table.place}) where list_contains($names, value)",
                {"names": list(names)},
            ).fetchall()[0][0]
            if found:
                scan.hits[f"{table.database}.{table.name}.{column}"] = int(found)


def _columns(table: Relation, kind: str) -> list[tuple[str, str]]:
    return [(column, value) for column, value in table.values(KINDS[kind]) if kind != "ids" or column in ID_COLUMNS]


def _may_exclude(table: Relation) -> bool:
    """Whether what this table holds of others, or of nobody, is no witness: tables of tracks may hold one's own."""
    return table.key is not None or table.schema == OF_THE_PROJECT or table.name in OF_NOBODY


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    return int(connection.execute(statement).fetchall()[0][0])
