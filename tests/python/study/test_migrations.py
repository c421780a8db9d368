"""A study that goes on with a newer version: nothing is lost, and nothing of the older version's models is left."""

from __future__ import annotations

import duckdb
import pytest
from conftest import SmallStudy, account_play, as_zip, play

from consonance.study.dbt_command import PROJECT, DbtFailed
from consonance.study.migrations import MODELS_OF_0_1, VERSION, NewerStores
from consonance.study.vault import (
    attach_to_read,
    attach_to_write,
    attach_vault,
    open_study,
    prepare,
    session_settings,
)

STORES_OF_0_1 = PROJECT / "tests" / "fixtures" / "stores_of_0_1.sql"
# What a row of an older version's models might say.
LEFT = "select 'Jane' as name"


def make_older(small: SmallStudy, *, is_noted: bool) -> None:
    """Make of a loaded study one of version 0.1, with a warehouse; ``is_noted``: dbt noted the relations it made."""
    study = small.study
    now = study.vault_path.rename(study.root / "now.duckdb")
    catalogue = study.catalogue_path.rename(study.root / "now-catalog.duckdb")
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        key = study.key_path.read_text().strip()
        connection.execute(f"attach '{now}' as now (encryption_key '{key}', read_only)")
        attach_vault(connection, study)
        attach_to_read(connection, catalogue, "facts")
        attach_to_write(connection, study.catalogue_path, "catalogue")
        attach_to_write(connection, study.warehouse_path, "warehouse")
        connection.execute(STORES_OF_0_1.read_text(encoding="utf-8"))
        shared = connection.execute(
            """
            select old.table_name, string_agg(old.column_name, ', ')
            from duckdb_columns() as old
            semi join (select table_name, column_name from duckdb_columns() where database_name = 'now') as new
                using (table_name, column_name)
            where old.database_name = 'vault'
            group by old.table_name
            """
        ).fetchall()
        for table, columns in shared:
            connection.execute(f"insert into vault.raw.{table} by name select {columns} from now.raw.{table}")
        connection.execute("create table vault.raw.last_build (moment timestamp)")
        connection.execute("insert into vault.raw.taken_down values (7, '2026-01-01')")
        connection.execute("create schema vault.staging")
        connection.execute("create view vault.staging.stg_members as select * from vault.raw.members")
        for schema, names in MODELS_OF_0_1.items():
            connection.execute(f"create schema {schema}")
            for name in names:
                kind = "view" if name in ("landed_plays", "play_fates") else "table"
                connection.execute(f"create {kind} {schema}.{name} as {LEFT}")
                if is_noted:
                    connection.execute(
                        "insert into vault.raw.made_relations values (?, ?, ?)", [*schema.split("."), name]
                    )
        connection.execute("create table warehouse.anonymized.of_somebody_else as select 1 as one")
    for path in (now, catalogue):
        path.unlink()


def rows(small: SmallStudy, tables: set[str]) -> dict[str, list[tuple[object, ...]]]:
    return {table: small.vault(f"select * from vault.raw.{table} order by all") for table in sorted(tables)}


@pytest.mark.parametrize("is_noted", [True, False], ids=["relations noted", "relations not noted"])
def test_a_vault_of_version_0_1_goes_on(small: SmallStudy, is_noted: bool) -> None:
    small.admit("P1")
    small.admit("P2")
    small.donate("P1", [play(), play(ts="2024-01-01T00:00:00Z"), play(ts="yesterday")])
    as_zip(small.study.inbox / "P2" / "x.zip", {"StreamingHistory0.json": [account_play()]})
    small.load()
    kept = {"extended_plays", "account_plays", "rejected_rows", "keyring", "members", "donations", "consent_events"}
    kept |= {"participants", "notices", "ledger_lines", "secrets", "schema_drift", "applied_consents"}
    before = rows(small, kept)
    make_older(small, is_noted=is_noted)

    with pytest.raises(DbtFailed) as refusal:
        small.dbt("run")
    assert "was made by an older version. Run 'consonance load' first." in " ".join(refusal.value.output.split())
    report = small.load()
    assert [donation.status for donation in report.donations] == ["already", "already"]
    assert rows(small, kept) == before
    assert small.vault("from vault.raw.store_version") == [(VERSION,)]
    assert not small.vault("select 1 from duckdb_tables() where table_name in ('last_build', 'taken_down')")
    assert small.vault("select release_no from vault.raw.unpublished") == [(7,)]

    small.dbt("run")
    with small.opened(warehouse=True) as connection:
        there = connection.execute(
            """
            select database_name || '.' || schema_name, table_name from duckdb_tables()
            union all
            select database_name || '.' || schema_name, view_name from duckdb_views() where not internal
            """
        ).fetchall()
    assert not {(schema, name) for schema, names in MODELS_OF_0_1.items() for name in names} & set(there)
    assert ("warehouse.anonymized", "of_somebody_else") in there
    assert not small.vault("select 1 from duckdb_schemas() where schema_name = 'reconciled'")
    assert small.warehouse("select count(*) from marts.plays") == [(3,)]


def test_a_migration_may_run_twice(small: SmallStudy) -> None:
    small.load()
    before = small.vault("from vault.raw.made_relations order by all")
    with open_study(small.study) as connection:
        connection.execute("update vault.raw.store_version set version = 1")
    small.load()
    once = small.vault("from vault.raw.made_relations order by all")
    with open_study(small.study) as connection:
        connection.execute("delete from vault.raw.store_version")  # as if it was interrupted before it was noted
    small.load()
    assert small.vault("from vault.raw.made_relations order by all") == once != before
    assert small.vault("from vault.raw.store_version") == [(VERSION,)]


def test_recordings_lose_the_keys_of_their_names_and_stay(small: SmallStudy) -> None:
    with open_study(small.study, writes_catalogue=True) as connection:
        connection.execute(
            "insert into catalogue.music.recordings by name "
            "select uuid() as recording_mbid, 'An Artist' as artist, 'A Title' as title, '' as album, 1 as score"
        )
        connection.execute("alter table catalogue.music.recordings add column artist_keys varchar[]")
        connection.execute("alter table catalogue.music.recordings add column title_key varchar")
        connection.execute("update vault.raw.store_version set version = 5")
    small.load()
    assert small.vault("select artist, title from catalogue.music.recordings") == [("An Artist", "A Title")]
    assert not small.vault(
        "select 1 from duckdb_columns() where column_name in ('artist_keys', 'title_key') and table_name = 'recordings'"
    )


def test_a_vault_of_a_newer_version_is_not_touched(small: SmallStudy) -> None:
    with open_study(small.study) as connection:
        connection.execute("update vault.raw.store_version set version = 99")
    with pytest.raises(NewerStores, match=r"newer version of consonance.*stores of version 99"):
        small.load()
    with pytest.raises(DbtFailed) as refusal:
        small.dbt("run")
    assert "newer version of consonance" in " ".join(refusal.value.output.split())


def test_a_fresh_study_has_the_version_of_the_program(small: SmallStudy) -> None:
    assert small.vault("from vault.raw.store_version") == [(VERSION,)]
    assert small.vault("from vault.raw.made_relations") == []
