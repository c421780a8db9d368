"""The declared relations: each changes what it says and no more, and secrets that are not drawn anew are named."""

from __future__ import annotations

import csv
import random
import secrets
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from conftest import account_play, as_zip, lay_out_small, play

from consonance.checks.paired_rebuild import COPIED
from consonance.checks.relations import sample
from consonance.checks.relations.declared import CLOCKS, ON_SAMPLE, RELATIONS, ZONES, Relation
from consonance.checks.relations.replay import ModelFailed, replay, statements_of_run
from consonance.checks.relations.sample import _change, _copy
from consonance.checks.relations.secrets import check_secrets
from consonance.consent.rules import with_rules
from consonance.consent.state import PURPOSES
from consonance.study import keyring
from consonance.study.dbt_command import PROJECT
from consonance.study.schema import lay_out_catalogue, lay_out_vault
from consonance.study.shared_macros import with_macros

# How many secrets were drawn.
DRAWN = count()
BANDS = (18, 25, 35, 45, 55, 65, 75)
# What a relation changes: the columns of the vault, by table. Every other column stays as it is.
CHANGED = {
    "moments": {
        "participants": {"enrolled_at"},
        "consent_events": {"occurred_at", "history_from", "history_to"},
        "extended_plays": {"ts", "offline_timestamp"},
        "account_plays": {"end_time"},
        "survey_answers": {"answered_at"},
        "survey_prompts": {"prompted_at", "opened_at", "answered_at", "expires_at"},
        "donations": {"loaded_at"},
    },
    "offsets": {
        "participants": {"timezone"},
        "extended_plays": {"ts", "offline_timestamp"},
        "account_plays": {"end_time"},
        "survey_answers": {"answered_at"},
        "survey_prompts": {"prompted_at", "opened_at", "answered_at", "expires_at"},
    },
    "clocks": {
        "participants": {"timezone"},
        "consent_events": {"history_from", "history_to"},
        "extended_plays": {"ts", "offline_timestamp"},
        "account_plays": {"end_time"},
        "survey_answers": {"answered_at"},
        "survey_prompts": {"prompted_at", "opened_at", "answered_at", "expires_at"},
    },
    "birth_years": {"participants": {"birth_year"}},
    "formats": {"extended_plays": {"skipped", "offline_timestamp"}},
    "zones": {"participants": {"timezone"}},
    "demographics": {"participants": {"birth_year", "gender", "country"}, "extended_plays": {"country"}},
    "orders": {
        "consent_events": {"ledger_line"},
        "extended_plays": {"member_id", "row_no"},
        "account_plays": {"member_id", "row_no"},
        "survey_answers": {"line"},
        "survey_prompts": {"line"},
        "donations": {"donation_id"},
        "members": {"member_id"},
        "donation_members": {"donation_id", "member_id"},
    },
    "held_back": {},
}
# What people hold back: tables, and how they say whose a row is.
HELD_BACK = {
    "extended_plays": "participant_no",
    "account_plays": "participant_no",
    "library_items": "participant_no",
    "survey_answers": "participant_code",
    "survey_prompts": "participant_code",
}


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a sample of a small study as ``before``; its vault is to be changed."""
    made = lay_out_small(tmp_path_factory.mktemp("sampled") / "study")
    made.admit("P2", history=("2015-01-01", "2030-01-01"))
    made.enrol("P1", birth_year=1950, country="FR", timezone="Europe/Paris")
    made.consent("P1", "listening_history emotion_reports library")
    made.consent(
        "P1",
        "listening_history emotion_reports library podcasts_audiobooks",
        event="amended",
        at="2025-02-01T10:00:00+00:00",
    )
    for code in ("P1", "P2"):
        rows = [
            play(f"2023-0{month}-01T10:00:00Z", 61_000, offline_timestamp=stamp)
            for month, stamp in ((5, 1_682_935_000), (6, 1_685_613_000_000))
        ]
        files = {
            "Streaming_History_Audio_1.json": rows,
            "StreamingHistory0.json": [account_play(), account_play("2023-05-02 10:00")],
        }
        as_zip(made.study.inbox / code / "export.zip", {"Streaming_History_Audio_2023.json": rows})
        as_zip(
            made.study.inbox / code / "account.zip", {"MyData/StreamingHistory0.json": files["StreamingHistory0.json"]}
        )
    lines = ["participant_code,answered_at,instrument,item,answer"]
    lines += [
        f"{code},2023-05-0{day}T12:00:00+00:00,affect_grid,valence,{day}" for code in ("P1", "P2") for day in (1, 2)
    ]
    (made.study.surveys / "grid.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    made.load()
    with made.opened() as study, duckdb.connect(config={"threads": 2}) as connection:
        connection.execute("set TimeZone = 'UTC'; set variable marker = 'canary4711'; set variable rows = 20000")
        connection.execute("attach ':memory:' as study; attach ':memory:' as archive; create schema study.raw")
        _carry_over(study, connection)
        for name in ("vault", "catalogue", "warehouse"):
            connection.execute(f"attach ':memory:' as {name}")
        lay_out_vault(connection)
        lay_out_catalogue(connection)
        connection.execute("create schema archive.music")
        for table in ("source_tracks", "source_values", "archive_files"):
            connection.execute(f"create table archive.music.{table} as select * from catalogue.music.{table}")
        # What identities.sql asks the warehouse for.
        connection.execute(
            "create schema warehouse.declassify; create macro warehouse.declassify.device_family(platform) as 'android'"
        )
        connection.execute(with_macros(sample.SQL.read_text(encoding="utf-8"), (), copied_columns=COPIED))
        connection.execute(with_rules(sample.HELD_PEOPLE.read_text(encoding="utf-8")))
        _copy(connection, "vault", "before", "schema_name = 'raw'")
        yield connection


def _carry_over(study: duckdb.DuckDBPyConnection, connection: duckdb.DuckDBPyConnection) -> None:
    """The vault, out of the connection that has its key."""
    for (table,) in study.execute(
        "select table_name from duckdb_tables() where database_name = 'vault' and schema_name = 'raw'"
    ).fetchall():
        rows = study.execute(f"select * from vault.raw.{table}").fetchall()
        columns = study.execute(
            "select column_name || ' ' || data_type from duckdb_columns() where database_name = 'vault' and table_name = $table and schema_name = 'raw'",
            {"table": table},
        ).fetchall()
        connection.execute(f"create table study.raw.{table} ({', '.join(column for (column,) in columns)})")
        if rows:
            connection.executemany(f"insert into study.raw.{table} values ({', '.join('?' * len(columns))})", rows)


def _contents(connection: duckdb.DuckDBPyConnection, table: str) -> dict[str, Any]:
    """The values of each column of a table of the vault, in one order of the people."""
    columns = connection.execute(
        "select column_name from duckdb_columns() where database_name = 'vault' and schema_name = 'raw' and table_name = $table",
        {"table": table},
    ).fetchall()
    return {
        column: sorted(map(repr, connection.execute(f"select {column} from vault.raw.{table}").fetchall()))
        for (column,) in columns
    }


@pytest.mark.parametrize("relation", (*ON_SAMPLE, CLOCKS), ids=lambda relation: relation.name)
def test_a_relation_changes_what_it_names_and_nothing_else(
    sampled: duckdb.DuckDBPyConnection, relation: Relation
) -> None:
    tables = sorted({*COPIED, *(table for changed in CHANGED.values() for table in changed), "keyring"})
    _change(sampled, ())
    before = {table: _contents(sampled, table) for table in tables}
    # The secrets are drawn anew each time.
    _change(sampled, (relation,))
    after = {table: _contents(sampled, table) for table in tables}
    if relation.name == "held_back":
        for table, names in before.items():
            rows = max(len(values) for values in names.values())
            more = max(len(values) for values in after[table].values())
            assert (more > rows) == (table in HELD_BACK), table
        return
    changed = {
        table: {column for column in before[table] if before[table][column] != after[table][column]} for table in tables
    }
    for names in changed.values():
        names -= {"pseudonym", "play_secret", "shift_weeks"}
    expected = CHANGED[relation.name]
    for table, names in changed.items():
        assert names <= expected.get(table, set()), table
    if relation.name != "orders":  # numbers from 1 on are the same numbers, of other rows
        assert {table for table, names in changed.items() if names} == {
            table for table in expected if sampled.execute(f"select 1 from vault.raw.{table} limit 1").fetchall()
        }


def test_people_hold_back_what_belongs_to_their_purpose(sampled: duckdb.DuckDBPyConnection) -> None:
    """Whoever holds back a purpose lacks it alone, and has donated everything else from the beginning."""
    _change(sampled, tuple(relation for relation in ON_SAMPLE if relation.name == "held_back"))
    people = sampled.execute("select held, purpose, participant_code from vault.held_back").fetchall()
    assert len(people) == 11
    for held, purpose, code in people:
        rows = {
            table: {
                passes
                for (passes,) in sampled.execute(
                    f"select passes from held_{table} inner join held_people using ({key}) where held = $held",
                    {"held": held},
                ).fetchall()
            }
            for table, key in HELD_BACK.items()
        }
        expected = {table: {True} for table in HELD_BACK}
        if purpose is None:
            expected = {table: {False} for table in HELD_BACK}
        elif purpose == "listening_history":
            expected |= {"extended_plays": {False}, "account_plays": {False}}
        elif purpose == "podcasts_audiobooks" or purpose == "private_sessions":
            expected |= {"extended_plays": {True, False}, "account_plays": {True, False}}
        elif purpose == "library":
            expected |= {"library_items": {False}}
        elif purpose == "emotion_reports":
            expected |= {"survey_answers": {False}, "survey_prompts": {False}}
        assert rows == expected, held
        if purpose:
            assert sampled.execute(
                "select purposes from vault.raw.consent_events where participant_code = $code", {"code": code}
            ).fetchall() == [([other for other in PURPOSES if other != purpose],)]


def test_lines_and_files_are_the_other_way_round(sampled: duckdb.DuckDBPyConnection) -> None:
    order = "select list(line order by participant_code desc, answered_at desc) from vault.raw.survey_answers where file like '%02.csv'"
    _change(sampled, ())
    assert sampled.execute(order).fetchall() != [([1, 2, 3, 4],)]
    _change(sampled, tuple(relation for relation in ON_SAMPLE if relation.name == "orders"))
    assert sampled.execute(order).fetchall() == [([1, 2, 3, 4],)]
    assert sampled.execute(
        "select list(ledger_line order by participant_code desc, occurred_at desc) from vault.raw.consent_events"
    ).fetchall() == [(list(range(1, 16)),)]


def test_every_birth_year_stays_in_its_band() -> None:
    with duckdb.connect() as connection:
        connection.execute(
            "attach ':memory:' as vault; create schema vault.raw; create table vault.raw.study as select timestamp '2026-03-01' as as_of"
        )
        connection.execute(
            "create table vault.raw.participants as select cast(age as varchar) as participant_code, 2026 - age as birth_year from range(111) as ages (age)"
        )
        (relation,) = (one for one in ON_SAMPLE if one.name == "birth_years")
        relation.apply(connection)
        for age, year in connection.execute(
            "select participant_code::integer, birth_year from vault.raw.participants"
        ).fetchall():
            other = 2026 - year
            assert other != age and sum(bound <= age for bound in BANDS) == sum(bound <= other for bound in BANDS)


def test_zones_have_the_same_offsets() -> None:
    """A zone is replaced by one that shows the same at every hour, or by none."""
    zones = [
        "Europe/Berlin",
        "Europe/London",
        "America/New_York",
        "Asia/Tokyo",
        "Asia/Kathmandu",
        "Australia/Lord_Howe",
        "Etc/GMT-4",
    ]
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'; attach ':memory:' as vault; create schema vault.raw")
        connection.execute(
            "create table vault.raw.participants as select unnest($zones) as timezone, unnest($zones) as participant_code",
            {"zones": zones},
        )
        for table, columns in {
            "keyring": "participant_no integer, participant_code varchar",
            "extended_plays": "participant_no integer, ts timestamp",
            "account_plays": "participant_no integer, end_time timestamp",
            "survey_answers": "participant_code varchar, answered_at timestamp",
            "survey_prompts": "participant_code varchar, prompted_at timestamp, opened_at timestamp, answered_at timestamp",
        }.items():
            connection.execute(f"create table vault.raw.{table} ({columns})")
        ZONES.apply(connection)
        pairs = connection.execute("select participant_code, timezone from vault.raw.participants").fetchall()
        replaced = {one: other for one, other in pairs if one != other}
        assert {"Europe/Berlin", "Europe/London", "America/New_York", "Asia/Tokyo", "Etc/GMT-4"} <= replaced.keys()
        for one, other in replaced.items():
            assert connection.execute(
                "select count(*) from range(timestamp '2004-01-01', timestamp '2010-01-01', interval 1 hour) as t (m) where timezone($one, timezone('UTC', m)) <> timezone($other, timezone('UTC', m))",
                {"one": one, "other": other},
            ).fetchall() == [(0,)], (one, other)
        # And so have the countries of the sample.
        text = sample.SQL.read_text(encoding="utf-8")
        steady = text[
            text.index("create or replace temp table steady_zones") : text.index("{%- for table in copied_whole %}")
        ]
        connection.execute(steady)
        with (PROJECT / "seeds" / "country_time_zones.csv").open(encoding="utf-8") as file:
            of_country = {row["country"]: row["time_zone"] for row in csv.DictReader(file)}
        for zone, *countries in connection.execute("from steady_zones").fetchall():
            for country in countries:
                assert connection.execute(
                    "select count(*) from range(timestamp '1952-01-01', timestamp '2030-01-01', interval 17 day) as t (m) where timezone($one, timezone('UTC', m)) <> timezone($other, timezone('UTC', m))",
                    {"one": zone, "other": of_country[country]},
                ).fetchall() == [(0,)], country


def test_statements_are_replayed_in_their_order_and_a_failure_quotes_nothing(tmp_path: Path) -> None:
    run = tmp_path / "target" / "run" / "consonance" / "models"
    run.mkdir(parents=True)
    (run / "b.sql").write_text('create or replace table "memory"."s"."b" as (select a + 1 as b from "memory"."s"."a")')
    (run / "a.sql").write_text('create or replace view "memory"."s"."a" as (select 1 as a)')
    statements = statements_of_run(tmp_path)
    with duckdb.connect() as connection:
        replay(connection, statements)
        assert connection.execute("select b from s.b").fetchall() == [(2,)]
        with pytest.raises(ModelFailed, match=r"models/s/c\.sql") as refused:
            replay(connection, {'"memory"."s"."c"': "create table c as select cast('Jane' as integer)"})
        assert "Jane" not in str(refused.value)


def drawn_alike(monkeypatch: pytest.MonkeyPatch, name: str, draw: Callable[..., Any]) -> set[tuple[str, str]]:
    """What is said of the columns of the secrets when one of them is drawn by ``draw``."""
    monkeypatch.setattr("consonance.checks.relations.secrets._loaded_anew", lambda: keyring)
    monkeypatch.setattr(keyring, name, draw)
    return {(found.column, found.what) for found in check_secrets()}


def test_secrets_of_two_layouts_have_nothing_in_common() -> None:
    assert check_secrets() == []
    assert RELATIONS[-1].name == "secrets"


@pytest.mark.parametrize(
    ("name", "draw", "expected"),
    [
        ("draw_shift", lambda taken: 1 + secrets.randbelow(260), {"is not even over its range"}),
        ("draw_shift", lambda taken: secrets.choice([-52, 52]), {"is not even over its range", "is the same in two layouts of one study"}),
        ("draw_pseudonym", lambda taken: f"p{next(DRAWN) % 2000:04d}{secrets.token_hex(4)}", {"is drawn in the order of participant codes"}),
        ("draw_pseudonym", lambda taken: f"p{next(DRAWN) % 20:02d}{secrets.token_hex(5)}", {"is drawn in the order of participant codes"}),
        ("draw_secret", lambda: f"{random.Random(next(DRAWN) % 2000).getrandbits(128):032x}", {"is the same in two layouts of one study"}),
    ],
    ids=["forward alone", "two shifts", "a running number before it", "one of twenty letters after the other", "a stream that begins anew"],
)  # fmt: skip
def test_secrets_that_are_not_drawn_anew_are_named(
    monkeypatch: pytest.MonkeyPatch, name: str, draw: Callable[..., Any], expected: set[str]
) -> None:
    assert {what for _, what in drawn_alike(monkeypatch, name, draw)} == expected


def test_no_secret_is_made_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each secret is drawn by itself: whatever the others are, it is as even and as new as ever."""
    others = {
        "draw_number": lambda taken: 1 + next(DRAWN) % 2000,
        "draw_pseudonym": lambda taken: f"p{next(DRAWN) % 2000:011d}",
        "draw_secret": lambda: f"{next(DRAWN):032x}",
    }
    for name, draw in others.items():
        monkeypatch.setattr(keyring, name, draw)
    monkeypatch.setattr("consonance.checks.relations.secrets._loaded_anew", lambda: keyring)
    assert not [found for found in check_secrets() if found.column == "shift_weeks"]


def test_two_studies_of_the_same_files_share_no_secret(tmp_path: Path) -> None:
    values = []
    for name in ("one", "other"):
        made = lay_out_small(tmp_path / name)
        for code in ("P1", "P2", "P3"):
            made.admit(code)
            made.donate(code, [play()])
        made.load()
        keys = made.vault("select pseudonym, play_secret from vault.raw.keyring")
        values.append(
            {value for row in keys for value in row}
            | {secret for (secret,) in made.vault("select secret from vault.raw.secrets")}
            | {made.study.key_path.read_text(encoding="utf-8")}
            | {number for (number,) in made.vault("select participant_no from vault.raw.keyring")}
        )
    assert len(values[0]) == len(values[1]) == 11
    assert not values[0] & values[1]
