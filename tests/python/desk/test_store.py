"""The desk: written beside, renamed over; the same as the warehouse; read by whoever has it open."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from commands import consonance
from conftest import SmallStudy

from consonance.report.reading import of_study, opened
from consonance.study import desk
from consonance.study.desk import DeskNotWritten, differences, readers_of_former, write_desk
from consonance.study.folder import Study

TABLES = ("marts.plays", "audit.purposes", "reference.instruments", "anonymized.anon_plays")
WAREHOUSE = """
    create schema marts; create schema audit; create schema reference; create schema anonymized;
    create table marts.plays as select 'p' || range % 7 as participant_id, range * 30000 as ms_played from range(5000);
    comment on table marts.plays is 'One row is a listener''s play.';
    comment on column marts.plays.ms_played is 'Milliseconds.';
    create table marts.my_own as select 1 as one;
    create view audit.purposes as select 'listening_history' as purpose;
    create table reference.instruments as select 'panas' as instrument;
    create table anonymized.anon_plays as select 7 as elapsed_ms
"""


@pytest.fixture
def built(tmp_path: Path) -> Study:
    """A folder with a warehouse, and the desk that was made of it."""
    study = Study(tmp_path)
    with duckdb.connect(str(study.warehouse_path)) as connection:
        connection.execute(WAREHOUSE)
        write_desk(connection, study, TABLES)
        connection.execute("drop table marts.my_own; drop view audit.purposes")
        connection.execute("create table audit.purposes as select 'listening_history' as purpose")
    return study


def write(study: Study, change: str = "") -> None:
    with duckdb.connect(str(study.warehouse_path)) as connection:
        connection.execute(change or "select 1")
        write_desk(connection, study, TABLES)


def ask(study: Study, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(study.desk_path), read_only=True) as connection:
        return connection.execute(query).fetchall()


def test_it_has_plain_tables_of_three_layers_with_their_descriptions(built: Study) -> None:
    names = "select schema_name || '.' || table_name, comment from duckdb_tables() order by all"
    assert ask(built, names) == [
        ("audit.purposes", None),
        ("marts.plays", "One row is a listener's play."),
        ("reference.instruments", None),
    ]
    assert ask(built, "select comment from duckdb_columns() where column_name = 'ms_played'") == [("Milliseconds.",)]
    assert ask(built, "from duckdb_views() where not internal") == []
    assert list(differences(built)) == []


def test_its_owner_alone_may_read_it_and_nobody_writes_to_it(built: Study) -> None:
    """A client that had it open for writing would shut all others out."""
    assert stat.S_IMODE(built.desk_path.stat().st_mode) == 0o400
    assert sorted(path.name for path in built.root.iterdir()) == ["analysis.duckdb", "warehouse.duckdb"]


def test_a_reader_keeps_what_it_had_open(built: Study) -> None:
    with duckdb.connect(str(built.desk_path), read_only=True) as reader:
        write(built, "delete from marts.plays where ms_played > 0")
        assert reader.execute("select count(*) from marts.plays").fetchall() == [(5000,)]
        assert any(f"(process {os.getpid()})" in one for one in readers_of_former(built))
    assert readers_of_former(built) == []
    assert ask(built, "select count(*) from marts.plays") == [(1,)]


def test_what_a_client_left_beside_the_old_file_is_not_read_with_the_new_one(built: Study) -> None:
    built.desk_path.with_name("analysis.duckdb.wal").write_bytes(b"left by a client that could write")
    write(built)
    assert ask(built, "select count(*) from marts.plays") == [(5000,)]


def test_a_desk_that_cannot_be_written_stays_as_it_was(built: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    before = built.desk_path.read_bytes()

    def full(_: Path) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(desk, "sync", full)
    with pytest.raises(DeskNotWritten, match="No space left on device"):
        write(built)
    assert built.desk_path.read_bytes() == before and not built.new_desk_path.exists()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ("create table marts.vault_rows as select 'P001' as code", "has a table marts.vault_rows"),
        ("create or replace table marts.plays as from marts.plays order by rowid desc", "has other columns or descriptions"),
        ("update marts.plays set ms_played = 1 where ms_played = 0", "has other rows of marts.plays"),
        ("update reference.instruments set instrument = instrument; checkpoint", ""),
        ("create table reordered as from reference.instruments; insert into reordered values ('sam')", "has a table main.reordered"),
        ("comment on column marts.plays.participant_id is 'P001 is p3'", "has other columns or descriptions"),
        ("create view marts.shown as from marts.plays", "has views"),
        ("delete from marts.plays; checkpoint; insert into marts.plays from range(9) t(i) select 'p', i", "has other rows"),
    ],
)  # fmt: skip
def test_whatever_differs_from_the_warehouse_is_found(built: Study, change: str, found: str) -> None:
    built.desk_path.chmod(0o600)
    with duckdb.connect(str(built.desk_path)) as connection:
        connection.execute(change)
    said = list(differences(built))
    assert any(found in one for one in said) if found else not said, said


def test_the_report_and_queries_need_the_desk_alone_while_dbt_has_the_stores(demo_copy: SmallStudy) -> None:
    study = demo_copy.study
    for path in (study.vault_path, study.key_path, study.catalogue_path):
        path.unlink()
    hold = "import duckdb, sys; one = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", hold, study.warehouse_path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        with pytest.raises(duckdb.IOException, match="lock"):
            duckdb.connect(str(study.warehouse_path), read_only=True)
        with opened(of_study(study)) as marts:
            assert marts.persons("plays") > 20
        asked = consonance("sql", "select count(*) from plays", "--study", study.root)
        refused = consonance("site", "--study", study.root)
        other.communicate()
    assert asked.returncode == 0, asked.stderr
    assert refused.returncode == 1 and "Traceback" not in refused.stderr


def test_the_desk_of_a_study_is_its_warehouse(demo: SmallStudy) -> None:
    assert list(differences(demo.study)) == []
    described = """
        select count(*) filter (comment is null or comment = ''), count(*)
        from (
            select comment from duckdb_tables() where not internal
            union all
            select comment from duckdb_columns() where not internal
        )
    """
    ((without, every),) = ask(demo.study, described)
    assert without == 0 and every > 300
