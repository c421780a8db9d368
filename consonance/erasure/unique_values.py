"""What only certain people's rows hold: the values by which an erasure is judged.

Before anything is erased, every text, moment and id is noted that occurs in their rows and in nobody
else's. Afterwards every table is searched for them. A byte scan would not do: under DuckDB's compression
it sees nothing even before the deletion.

Only what must be gone is asked for. Some values of theirs may stay, or come to be said of others: words of
closed lists (a purpose that nobody else granted), moments of the ledger, whose lines stay under a token, and
whatever the study's own tables or the project's say of nobody in particular.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import duckdb

from consonance.erasure.participant_tables import TEXTS, People, Relation

# Kind of witness to the types of the columns that may hold it.
KINDS = {"texts": TEXTS, "moments": ("TIMESTAMP",), "ids": ("BIGINT",)}
# The only whole numbers that are made of a secret: ids of records. Others are counts and lengths.
ID_COLUMNS = ("play_id", "session_id", "report_id")
# Columns that hold words of lists, not what somebody gave: that only one person had a word proves nothing.
WORDS = frozenset(
    {
        "age_band", "content_type", "country", "device_family", "dimension", "event", "fate", "feature_match_method",
        "feature_source", "gender", "history_source", "instrument", "item", "kind", "match_method", "origin",
        "purpose", "purposes", "reason", "reason_end", "reason_start", "relation", "scale", "score_status",
        "start_quality", "tier", "time_zone", "timezone", "what",
    }
)  # fmt: skip
# The lines of the consent ledger stay, under a token.
LEDGER = "raw.consent_events"


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
    def passed(self) -> bool:
        return not self.hits

    def as_json(self) -> dict[str, Any]:
        return {"passed": self.passed, **asdict(self)}


def take_down(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], people: People, *, is_fresh: bool
) -> None:
    """Write into ``operation.texts``, ``.moments`` and ``.ids`` what only ``people`` have.

    Args:
        connection: With the database ``operation`` attached for writing.
        tables: Of vault and warehouse.
        people: Whose.
        is_fresh: Whether the warehouse is what dbt would make of the vault now. Else its moments tell nothing:
            others may have the same ones in the next.
    """
    connection.execute("create table operation.texts (value varchar primary key)")
    connection.execute("create table operation.moments (store varchar, value timestamp, primary key (store, value))")
    connection.execute("create table operation.ids (value bigint primary key)")
    connection.execute("insert into operation.texts select unnest($codes)", {"codes": list(people.participant_code)})
    # Texts are given by people, and so in the vault; the warehouse has moments of its own, on other clocks.
    sources = {
        "texts": [table for table in tables if table.database == "vault"],
        "moments": [table for table in tables if table.database == "vault" or is_fresh],
        "ids": tables,
    }
    for kind, searched in sources.items():
        for table in searched:
            whose = table.whose(people)
            if not whose or is_of_nobody(table):
                continue
            for _, value in _columns(table, kind):
                connection.execute(
                    f"insert or ignore into operation.{kind} "
                    f"select distinct {_stored(kind, table)} from (select {value} as value from {table.place} where list_contains($whose, {table.key})) "
                    "where value is not null and cast(value as varchar) <> ''",
                    {"whose": whose},
                )
        if kind == "ids":
            continue  # nobody else has an id that is made of one's own secret
        for table in searched:
            if not table.key and not is_of_nobody(table):
                continue  # a table of tracks: it may hold their own
            whose = [] if is_of_nobody(table) else table.whose(people)
            others = f"where not coalesce(list_contains($whose, {table.key}), false)" if whose else ""
            for column, value in _columns(table, kind):
                if column == table.key and is_of_nobody(table):
                    continue  # the ledger's code becomes a token
                connection.execute(
                    f"delete from operation.{kind} where ({'store, ' if kind == 'moments' else ''}value) in "
                    f"(select {_stored(kind, table)} from (select {value} as value from {table.place} {others}))",
                    {"whose": whose} if whose else {},
                )
    # A track is known by its URI in the vault, and elsewhere by the id that ends it too.
    connection.execute(
        """
        insert or ignore into operation.texts
        select split_part(value, ':', 3) from operation.texts where regexp_full_match(value, 'spotify:[a-z]+:[0-9A-Za-z]{22}')
        """
    )


def is_of_nobody(table: Relation) -> bool:
    """Whether what a table says is the study's or the project's own: it belongs to no person, and to no track."""
    if table.database == "vault":
        return table.schema == "raw" and (table.key is None or table.name == LEDGER)
    return table.key is None and "track_id" not in table.columns


def search(connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], public: Sequence[Relation] = ()) -> Scan:
    """Look for the witnesses of ``operation`` in every column of ``tables`` that could hold one.

    Args:
        connection: With the database ``operation`` attached.
        tables: Of vault and warehouse, as they are now.
        public: Tables of the catalogue: what they hold is public.
    """
    texts, moments, ids = (_count(connection, f"select count(*) from operation.{kind}") for kind in KINDS)
    scan = Scan(texts, moments, ids)
    own_words = [
        f"select {value} as value from {table.place}"
        for table in [*tables, *public]
        if table in public or is_of_nobody(table)
        for column, value in table.values(TEXTS)
        if column != table.key
    ]
    connection.execute(
        f"create or replace temp table searched_texts as select value from operation.texts anti join ({' union all '.join(own_words)}) using (value)"
    )
    for table in tables:
        scan.tables += 1
        scan.rows += _count(connection, f"select count(*) from {table.place}")
        witnesses = {
            "texts": "searched_texts",
            "moments": f"(select value from operation.moments where store = '{table.database}')",
            "ids": "operation.ids",
        }
        for kind in KINDS if not is_of_nobody(table) else ():
            for column, value in _columns(table, kind):
                scan.columns += 1
                found = _count(
                    connection,
                    f"select count(*) from (select {value} as value from {table.place}) semi join {witnesses[kind]} using (value)",
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
        for column, value in table.values(TEXTS):
            scan.columns += 1
            found = connection.execute(
                f"select count(*) from (select {value} as value from {table.place}) where list_contains($names, value)",
                {"names": list(names)},
            ).fetchall()[0][0]
            if found:
                scan.hits[f"{table.database}.{table.name}.{column}"] = int(found)


def _columns(table: Relation, kind: str) -> list[tuple[str, str]]:
    return [
        (column, value)
        for column, value in table.values(KINDS[kind])
        if (column in ID_COLUMNS if kind == "ids" else column not in WORDS)
    ]


def _stored(kind: str, table: Relation) -> str:
    return f"'{table.database}', value" if kind == "moments" else "value"


def _count(connection: duckdb.DuckDBPyConnection, statement: str) -> int:
    return int(connection.execute(statement).fetchall()[0][0])
