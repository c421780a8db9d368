"""The rows of whom is erased, out of the vault: one transaction."""

from __future__ import annotations

from pathlib import Path

import duckdb

from consonance.consent.ledger import name_erased
from consonance.consent.rules import with_rules
from consonance.erasure.evidence import entries_of
from consonance.erasure.fetched_tracks import forget_unheard
from consonance.erasure.participant_tables import People, relations
from consonance.erasure.record import ErasureRecord
from consonance.study.audit_log import Fact, anchor, record
from consonance.study.folder import Study
from consonance.study.schema import lay_out_stores
from consonance.study.tombstones import label, remember
from consonance.study.vault import open_study

NAMES_IN_OTHERS = Path(__file__).with_name("names_in_others.sql")


def delete_rows(study: Study, erased: ErasureRecord) -> None:
    """Delete the participants' rows and write their tombstones, in the vault and beside it.

    In the ledger a token takes the place of the code. Done twice, the second time changes nothing.

    Raises:
        StoreError, VaultKeyError: the vault cannot be opened.
    """
    with open_study(study, may_be_stale=True, writes_catalogue=True) as connection:
        lay_out_stores(connection)
        if entries_of(connection, erased).deleted is None:
            connection.begin()
            texts = _replace_names_in_others(connection, erased)
            lines = _rename_in_ledger(connection, erased)
            tracks = forget_unheard(connection, erased.people.participant_no)
            _delete_from_tables(connection, erased.people)
            drop_what_dbt_made(connection)
            _write_tombstones(connection, erased)
            facts: dict[str, Fact] = {
                "participants": list(erased.tokens),
                "rows": sum(erased.rows["vault"].values()),
                "ledger_lines": lines,
                "others_texts": texts,
                "fetched_tracks": tracks,
                "replayed": int(erased.is_replay),
            }
            record(connection, study, "erased", facts)
            connection.commit()
        anchor(connection, study)
        remember(connection, study)
        connection.execute("checkpoint vault")


def _replace_names_in_others(connection: duckdb.DuckDBPyConnection, erased: ErasureRecord) -> int:
    """Put other words for texts of others that name the participants; the number of such texts."""
    for name, value in {
        "numbers": list(erased.people.participant_no),
        "names": list(erased.names),
        "label": label(erased.tokens[0]),
    }.items():
        connection.execute(f"set variable {name} = $value", {"value": value})
    connection.execute(with_rules(NAMES_IN_OTHERS.read_text(encoding="utf-8")))
    ((texts,),) = connection.execute("select count(*) from texts_to_hide").fetchall()
    return int(texts)


def _rename_in_ledger(connection: duckdb.DuckDBPyConnection, erased: ErasureRecord) -> int:
    """Put the tokens for the codes in the vault's ledger; the number of lines."""
    return sum(name_erased(connection, code, name) for code, name in erased.labels.items())


def _delete_from_tables(connection: duckdb.DuckDBPyConnection, people: People) -> None:
    for table in relations(connection, "vault"):
        if table.schema == "raw" and (whose := table.whose(people)):
            connection.execute(f"delete from {table.place} where list_contains($whose, {table.key})", {"whose": whose})


def drop_what_dbt_made(connection: duckdb.DuckDBPyConnection) -> None:
    """Drop the other schemas of the vault: dbt makes their tables again from what is left. Were they copied into a fresh
    file, their rows would stay in its pages when dbt replaces them.
    """
    schemas = connection.execute(
        "select schema_name from duckdb_schemas() "
        "where database_name = 'vault' and not internal and schema_name not in ('raw', 'main')"
    ).fetchall()
    for (schema,) in schemas:
        connection.execute(f'drop schema vault."{schema}" cascade')


def _write_tombstones(connection: duckdb.DuckDBPyConnection, erased: ErasureRecord) -> None:
    connection.execute(
        "insert into vault.raw.tombstones select unnest($tokens), cast(now() as timestamp) on conflict do nothing",
        {"tokens": list(erased.tokens)},
    )
    connection.execute(
        "insert into vault.raw.erased_donations select unnest($tokens) on conflict do nothing",
        {"tokens": list(erased.donations)},
    )
