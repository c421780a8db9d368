"""Values unique to the participant: texts, moments, days and ids that only their rows hold. By them an erasure is judged.

They are recorded before anything is erased. Afterwards every table is searched for them
(``consonance.erasure.search``). A search in the bytes of the files would not do: under DuckDB's compression it finds
nothing even before the deletion.

Only what must be gone is recorded. Some values of theirs may stay, or may come to be said of others: words of
closed lists (a purpose that nobody else granted), moments of the ledger, whose lines stay under a token, and
what the study's own tables or the project's say of nobody in particular.
"""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from consonance.erasure.participant_tables import TEXTS, People, Relation
from consonance.study.desk import DESK
from consonance.study.schema import word_columns

# The database they are recorded in, as connections attach it.
RECORD = "erasure_record"
# Kind of value to the types of the columns that may hold it.
KINDS = {
    "texts": TEXTS,
    "moments": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE"),
    "days": ("DATE",),
    "ids": ("BIGINT",),
}
# Kinds that mean something within one store only: the warehouse has clocks of its own.
OF_A_STORE = ("moments", "days")
# The columns by which a row is about a track.
TRACK_KEYS = frozenset({"track_id", "spotify_id"})
# Columns that hold words of closed lists: that only one person had a word proves nothing. Those of the tables that the
# loaders write are declared in stores.yml; these are the models' own.
WORDS_OF_MODELS = (
    "age_band", "content_type", "device_family", "dimension", "direction", "emotion_window", "fate", "feature",
    "feature_match_method", "feature_source", "genre", "key_kind", "match_method", "model", "scale", "score_status", "start_quality",
    "time_zone",
)  # fmt: skip
WORDS = word_columns().union(WORDS_OF_MODELS)
# The lines of the consent ledger stay, under a token.
LEDGER = "raw.consent_events"


def record_unique_values(
    connection: duckdb.DuckDBPyConnection, tables: Sequence[Relation], people: People, *, is_fresh: bool
) -> None:
    """Write into the tables ``texts``, ``moments``, ``days`` and ``ids`` of the record what only ``people`` have.

    Args:
        connection: With the record attached for writing.
        tables: Of vault and warehouse.
        people: Whose values.
        is_fresh: Whether the warehouse is what dbt would make of the vault now. Else its moments and days mean
            nothing: others may have the same ones in the next.
    """
    connection.execute(f"create table {RECORD}.texts (value varchar primary key)")
    connection.execute(f"create table {RECORD}.moments (store varchar, value timestamp, primary key (store, value))")
    connection.execute(f"create table {RECORD}.days (store varchar, value date, primary key (store, value))")
    connection.execute(f"create table {RECORD}.ids (value bigint primary key)")
    connection.execute(f"insert into {RECORD}.texts select unnest($codes)", {"codes": list(people.participant_code)})
    # Texts are given by people, and so in the vault; the warehouse has moments of its own, on other clocks.
    sources = {
        "texts": [table for table in tables if table.database == "vault"],
        **{kind: [table for table in tables if table.database == "vault" or is_fresh] for kind in OF_A_STORE},
        "ids": list(tables),
    }
    for kind, searched in sources.items():
        for table in searched:
            _add_theirs(connection, kind, table, people)
        if kind != "ids":  # nobody else has an id that is made of one's own secret
            for table in searched:
                _remove_what_others_have(connection, kind, table, people)
    # A track is known by its URI in the vault, and elsewhere by the id that ends it too.
    connection.execute(
        f"""
        insert or ignore into {RECORD}.texts
        select split_part(value, ':', 3) from {RECORD}.texts
        where regexp_full_match(value, 'spotify:[a-z]+:[0-9A-Za-z]{{22}}')
        """
    )


def _add_theirs(connection: duckdb.DuckDBPyConnection, kind: str, table: Relation, people: People) -> None:
    whose = table.whose(people)
    if not whose or is_about_nobody(table):
        return
    for _, value in searched_columns(table, kind):
        connection.execute(
            f"""
            insert or ignore into {RECORD}.{kind}
            select distinct {_stored(kind, table)}
            from (select {value} as value from {table.place} where list_contains($whose, {table.key}))
            where value is not null and cast(value as varchar) <> ''
            """,
            {"whose": whose},
        )


def _remove_what_others_have(connection: duckdb.DuckDBPyConnection, kind: str, table: Relation, people: People) -> None:
    if not table.key and not is_about_nobody(table):
        return  # a table of tracks: it may hold their own
    columns = "(store, value)" if kind in OF_A_STORE else "(value)"
    for column, value in searched_columns(table, kind):
        # All of the ledger stays but the code, which becomes a token: somebody else's code stays there, too.
        whose = [] if is_about_nobody(table) and column != table.key else table.whose(people)
        others = f"where not coalesce(list_contains($whose, {table.key}), false)" if whose else ""
        connection.execute(
            f"""
            delete from {RECORD}.{kind}
            where {columns} in (select {_stored(kind, table)} from (select {value} as value from {table.place} {others}))
            """,
            {"whose": whose} if whose else {},
        )


def is_about_nobody(table: Relation) -> bool:
    """Whether what a table says is the study's or the project's own: it belongs to no person, and to no track."""
    if table.name == LEDGER:
        return True
    if table.key or TRACK_KEYS & table.columns.keys():
        return False
    return table.database != "vault" or table.schema == "raw"


def searched_columns(table: Relation, kind: str) -> list[tuple[str, str]]:
    """The columns of ``table`` that could hold a unique value of ``kind``, each with SQL for one of its values."""
    return [
        (column, value)
        for column, value in table.values(KINDS[kind])
        if (is_record_id(column) if kind == "ids" else column not in WORDS)
    ]


def is_record_id(column: str) -> bool:
    """Whether a column of whole numbers is the id of a record of one person: a play, a report. A track is everybody's."""
    return column.endswith("_id") and not column.endswith("track_id")


def _stored(kind: str, table: Relation) -> str:
    return f"'{clocks_of(table)}', value" if kind in OF_A_STORE else "value"


def clocks_of(table: Relation) -> str:
    """The store whose clocks a table has: the desk has those of the warehouse."""
    return "warehouse" if table.database == DESK else table.database
