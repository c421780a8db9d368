"""Withdrawal: nothing of the participant is left, everything of the others is, killed or not, and nobody comes back."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest
from commands import consonance
from conftest import EVERYTHING, SmallStudy, account_play, lay_out_small, play
from hypothesis import given, settings
from hypothesis import strategies as st

from consonance.erasure import releases as unpublishing
from consonance.erasure import rewriting, study_files, withdrawal
from consonance.erasure.participant_tables import TEXTS, relations
from consonance.erasure.planning import NothingPending, UnknownParticipant, plan, plan_replay
from consonance.erasure.record import FILE, OLD_FILE, ErasureRecord, UnreadableRecord, WithdrawalBusy, only_one, pending
from consonance.erasure.search import ErasureIncomplete
from consonance.erasure.study_files import _relabelled, _Table
from consonance.erasure.unique_values import WORDS, WORDS_OF_MODELS, is_about_nobody
from consonance.erasure.withdrawal import withdraw
from consonance.release import generalisation as k_anonymity
from consonance.release.publish import publish
from consonance.study.audit_log import read_entries
from consonance.study.audit_verification import verify
from consonance.study.dbt_command import PROJECT, run_dbt
from consonance.study.desk import differences
from consonance.study.folder import Study
from consonance.study.fresh_vault import contents
from consonance.study.key import read_key
from consonance.study.key_rotation import rotate_key
from consonance.study.last_run import why_outdated
from consonance.study.schema import tables
from consonance.study.tables import BadTable
from consonance.study.tokens import Tokens
from consonance.study.tombstones import StaleBackup, WithdrawalUnfinished, label
from consonance.study.vault import (
    attach_to_read,
    attach_under_key,
    open_catalogue,
    open_study,
    prepare,
    session_settings,
)
from consonance.synthetic.study import make_study
from loaders.feature_numbers import features

pytestmark = pytest.mark.usefixtures("artifacts_apart")

NOW = datetime(2026, 2, 1, 12)
# Stores as they would be without encryption and compression: what a file holds can be read in its bytes.
PLAIN_STORES = """
import re
import consonance.study.vault as vault
attach, settings = vault._attach, vault.session_settings
vault._attach = lambda connection, path, name, options: attach(
    connection, path, name, re.sub(r"ENCRYPTION_KEY '[^']*',? ?", "", options)
)
vault.session_settings = lambda: settings() | {"force_compression": "uncompressed"}
"""
# Tables right of the wall whose rows belong to persons, and those of tracks, which others' rows lead to.
TRACKS = (
    "anonymized.anon_tracks", "features.feat_track_names", "features.feat_track_recordings",
    "features.feat_track_named_sources", "features.feat_track_keys", "features.feat_track_sources",
    "features.feat_track_source_values", "features.feat_track_resolved_values", "features.feat_track_features",
    "features.feat_training_values",
    "features.feat_track_coverage", "features.feat_track_genres", "marts.tracks", "marts.track_genres",
)  # fmt: skip
STEPS = (
    "recording what is to be erased", "deleting rows", "clearing the study files", "writing the vault into a fresh file",
    "building the warehouse again (dbt run)", "unpublishing releases", "searching every store", "writing the certificate",
)  # fmt: skip


def rows_of(connection: duckdb.DuckDBPyConnection, database: str, but: str = "") -> dict[str, list[tuple[Any, ...]]]:
    """What each table of the warehouse holds of everyone but the participant ``but``, in order."""
    tables = connection.execute(
        "select schema_name || '.' || table_name, list_contains(list(column_name), 'participant_id') from duckdb_columns() where database_name = $name and not internal group by all order by all",
        {"name": database},
    ).fetchall()
    found = {}
    for table, is_personal in tables:
        if is_personal:
            query = f"select * from {database}.{table} where participant_id not in ('{but}', 'no active consent') order by all"
        elif table in TRACKS:
            query = f"""
                select * from {database}.{table}
                where track_id in (
                    select track_id from {database}.marts.plays where participant_id <> '{but}'
                    union select track_id from {database}.marts.library where participant_id <> '{but}'
                )
                order by all
            """
        else:
            continue
        found[table] = connection.execute(query).fetchall()
    return found


def others(study: SmallStudy, but: str = "") -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(config=session_settings()) as connection:
        attach_to_read(connection, study.study.warehouse_path, "warehouse")
        return rows_of(connection, "warehouse", but)


def pseudonym(study: SmallStudy, code: str) -> str:
    return str(study.vault(f"select pseudonym from vault.raw.keyring where participant_code = '{code}'")[0][0])


def erase(study: SmallStudy, code: str, **more: Any) -> withdrawal.Withdrawal:
    return withdraw(study.study, plan(study.study, code, NOW), **more)


def token_of(study: SmallStudy, code: str) -> str:
    with open_study(study.study, read_only=True, may_be_stale=True) as connection:
        return Tokens.of(connection).participant(code)


# A study of 40, one of whom withdraws


class Canaries:
    """What only one participant has: texts, moments, lengths, as they would lie in the bytes of a file."""

    def __init__(self, study: SmallStudy, code: str) -> None:
        rows = study_rows(study, code)
        ((number, name, secret),) = plain(
            study,
            f"select participant_no, pseudonym, play_secret from vault.raw.keyring where participant_code = '{code}'",
        )
        everyone = plain(
            study,
            f"select track_uri, track_name, epoch_us(ts), ms_played from vault.raw.extended_plays where participant_no <> {number} order by participant_no, member_id, row_no",
        )
        accounts = plain(study, f"select title from vault.raw.account_plays where participant_no <> {number}")
        elsewhere = {value for row in (*everyone, *accounts) for value in row[:3]}
        # Archives of features name tracks, and nobody who heard them.
        archives = b"".join(path.read_bytes() for path in study.study.catalogue.rglob("*.csv")).replace(b'""', b'"')
        texts = {row[key] for row in rows for key in ("spotify_track_uri", "master_metadata_track_name")} - elsewhere
        self.texts = {text for text in texts if text and len(text) >= 8 and text.encode() not in archives} | {
            name,
            secret,
            code + "-canary",
        }
        moments = {int(datetime.fromisoformat(row["ts"]).timestamp()) * 1_000_000 for row in rows} - elsewhere
        self.moments = {struct.pack("<q", moment) for moment in sorted(moments)[:60]}
        lengths = [row["ms_played"] for row in rows if row["ms_played"] > 1000]
        self.lengths = set(sorted(sequences(lengths) - sequences([row[3] for row in everyone]))[:60])
        ids = warehouse_rows(study, f"select play_id from marts.plays where participant_id = '{name}'")
        self.ids = {struct.pack("<q", play_id) for (play_id,) in ids[:60]}

    def found(self, folder: Path) -> dict[str, int]:
        """How many of each kind lie in the bytes of any file below ``folder``."""
        files = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
        return {
            kind: sum(any(value in content for content in files) for value in values)
            for kind, values in {
                "texts": [text.encode() for text in self.texts],
                "moments": self.moments,
                "lengths": self.lengths,
                "ids": self.ids,
            }.items()
        }


def sequences(lengths: list[int]) -> set[bytes]:
    """Any four plays in a row, by how long they were, as a column of an uncompressed file holds them."""
    return {struct.pack("<4q", *lengths[at : at + 4]) for at in range(len(lengths) - 4)}


def study_rows(study: SmallStudy, code: str) -> list[dict[str, Any]]:
    """The rows of somebody's extended history, as donated."""
    import zipfile

    rows = []
    for path in sorted((study.study.inbox / code).glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                if "Streaming_History_Audio" in name:
                    rows += [row for row in json.loads(archive.read(name)) if isinstance(row, dict)]
    return rows


def plain(study: SmallStudy, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect() as connection:
        connection.execute(f"attach '{study.study.vault_path}' as vault (read_only)")
        return connection.execute(statement).fetchall()


def warehouse_rows(study: SmallStudy, statement: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(study.study.warehouse_path), read_only=True) as connection:
        return connection.execute(statement).fetchall()


def test_nothing_is_left_in_the_bytes_of_any_file(tmp_path: Path) -> None:
    """On plain, uncompressed stores, so that a byte is found if it is there; the search before finds it."""
    root, patch = tmp_path / "study", tmp_path / "patch"
    patch.mkdir()
    (patch / "sitecustomize.py").write_text(PLAIN_STORES)
    make_study(root, seed=7, people=20, plays=6_000)
    study = SmallStudy(Study.find(root))
    for encrypted in (study.study.vault_path, study.study.audit_head_path):
        encrypted.unlink()
    (root / "receipts").mkdir()
    (root / "receipts" / "D003.html").write_text("D003-canary")
    environment = {"PYTHONPATH": str(patch), "CONSONANCE_STUDY": str(root)}
    loaded = consonance("load", environment=environment)
    assert loaded.returncode == 2, loaded.stderr  # some donations of the synthetic study are broken on purpose
    run = subprocess.run(
        [Path(sys.executable).with_name("dbt"), "--quiet", "run"],
        cwd=PROJECT,
        env=os.environ | environment,
        check=False,
    )
    assert run.returncode == 0
    canaries = Canaries(study, "D003")
    before = canaries.found(root)
    assert before["texts"] == len(canaries.texts) > 30
    assert before["moments"] == len(canaries.moments) == 60
    assert before["lengths"] > 50 and before["ids"] == len(canaries.ids) == 60
    stays = Canaries(study, "D002")

    done = consonance("withdraw", "D003", "--yes", environment=environment)
    assert done.returncode == 0, done.stderr
    assert canaries.found(root) == dict.fromkeys(before, 0)
    assert not any(b"D003" in path.read_bytes() for path in root.rglob("*") if path.is_file())
    assert stays.found(root)["moments"] == len(stays.moments) == 60  # the search is not blind afterwards


@pytest.fixture(scope="module")
def study_of_40(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """40 people, loaded and built. Not to be written to."""
    root = tmp_path_factory.mktemp("forty") / "study"
    make_study(root, seed=9, people=40, plays=20_000)
    study = SmallStudy(Study.find(root))
    study.load()
    study.dbt("run")
    return study


def copied(study: SmallStudy, root: Path) -> SmallStudy:
    shutil.copytree(study.root, root, symlinks=True)
    return SmallStudy(Study.find(root))


@pytest.mark.thorough
def test_others_stay_as_they_were_to_the_byte(study_of_40: SmallStudy, tmp_path: Path) -> None:
    study = copied(study_of_40, tmp_path / "study")
    name = pseudonym(study, "D006")
    assert sum(name in row for rows in others(study).values() for row in rows) > 500
    before = others(study, but=name)
    files_of_others = {
        path: path.read_bytes()
        for path in study.study.inbox.rglob("*")
        if path.is_file() and study.study.inbox / "D006" not in path.parents
    }
    erased = erase(study, "D006")
    after = others(study)
    assert {path: path.read_bytes() for path in study.study.inbox.rglob("*") if path.is_file()} == files_of_others
    assert sum(map(len, after.values())) > 50_000
    # Byte for byte as if they had no consent: the warehouse without D006, built from a vault that has their rows.
    never = copied(study_of_40, tmp_path / "never")
    with open_study(never.study) as connection:
        connection.execute("delete from vault.raw.consent_events where participant_code = 'D006'")
    never.dbt("run")
    assert after == others(never, but=name)
    # And as it was before, but for what rested on their rows: the commonest spelling of a title, features found by names.
    differing = {table for table in before if before[table] != after[table]}
    assert differing <= {
        *TRACKS,
        "marts.plays",
        "marts.sessions",
        "marts.daily_listening",
        "features.feat_training_window_features",
        "marts.emotion_windows",
        "marts.emotion_window_features",
        "marts.training_examples",
        "marts.participants",
        "marts.feature_agreement",
        "marts.feature_coverage",
        "marts.feature_coverage_differences",
        "marts.feature_coverage_of_participants",
    }
    assert {
        "anonymized.anon_plays",
        "sessionized.ses_plays",
        "features.feat_emotion_scores",
        "marts.emotion_reports",
    } <= before.keys() - differing
    # A value scan of its own: every text of every table, the vault decrypted.
    with study.opened(warehouse=True) as connection:
        texts = set()
        for database, schema, table, column, kind in connection.execute(
            "select database_name, schema_name, table_name, column_name, data_type from duckdb_columns() where database_name in ('vault', 'warehouse') and not internal and data_type in ('VARCHAR', 'VARCHAR[]')"
        ).fetchall():
            value = f'unnest("{column}")' if kind.endswith("[]") else f'"{column}"'
            texts |= {
                text
                for (text,) in connection.execute(
                    f'select distinct {value} from {database}."{schema}"."{table}"'
                ).fetchall()
            }
    gone = {row["master_metadata_track_name"] for row in study_rows(study_of_40, "D006")} | {name, "D006"}
    ((number,),) = study_of_40.vault("select participant_no from vault.raw.keyring where participant_code = 'D006'")
    theirs = {
        title
        for table, column in (("extended_plays", "track_name"), ("account_plays", "title"))
        for (title,) in study_of_40.vault(
            f"select distinct {column} from vault.raw.{table} where participant_no <> {number}"
        )
    }
    assert len(gone - theirs) > 50 and not (gone - theirs) & texts
    # What the certificate says is what was there.
    stated = json.loads(erased.certificate.read_text())
    rows = {row["table"]: (row["before"], row["after"]) for row in stated["rows"]}
    plays = study_of_40.vault(f"select count(*) from vault.raw.extended_plays where participant_no = {number}")[0][0]
    assert rows["raw.extended_plays"] == (plays, 0)
    assert (
        rows["marts.plays"][0]
        == study_of_40.warehouse(f"select count(*) from marts.plays where participant_id = '{name}'")[0][0]
    )
    assert stated["search"]["passed"] and stated["search"]["texts"] > 100 and stated["search"]["moments"] > 100
    files = {file["file"]: file for file in stated["files"]}
    assert files["vault.duckdb"]["before"]["sha256"] != files["vault.duckdb"]["after"]["sha256"]
    assert stated["participants"] == [token_of(study, "D006")] and "D006" not in json.dumps(stated)
    page = erased.page.read_text()
    assert stated["participants"][0] in page and "D006" not in page
    assert erased.page.stat().st_mode & 0o077 == erased.certificate.stat().st_mode & 0o077 == 0
    with open_study(study.study, read_only=True) as connection:
        assert verify(connection, study.study).passed
        kinds = [entry.kind for entry in read_entries(connection)]
        assert kinds[-3:] == ["erased", "consent_events", "erasure_searched"]
        assert stated["audit_log"] == {"entry": len(kinds), "hash": read_entries(connection)[-1].entry_hash}
    # And the study goes on.
    assert study.load().as_json()["totals"]["loaded"] == 0
    assert others(study) == after


# A small study


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """Three people, P2 with something in every table, loaded and built. Not to be written to."""
    study = lay_out_small(tmp_path_factory.mktemp("small") / "study")
    for number in (1, 2, 3):
        study.admit(
            f"P{number}",
            purposes="listening_history podcasts_audiobooks private_sessions demographics emotion_reports library sharing_controlled",
        )
        rows = [
            play(f"2023-05-0{number}T10:{minute:02d}:00Z", 60_000 + minute, username=f"listener-of-{number}")
            for minute in range(20)
        ]
        study.donate(f"P{number}", rows)
        study.donate(
            f"P{number}",
            [account_play(f"2019-01-0{number} 10:0{minute}") for minute in range(5)],
            "account.zip",
            "MyData/StreamingHistory0.json",
        )
    study.donate(
        "P3",
        [
            play(
                "2023-06-01T10:00:00Z",
                master_metadata_track_name=f"For Listener-of-{2}, with love",
                spotify_track_uri=f"spotify:local:::For+Listener-of-{2}:60",
            )
        ],
        "more.zip",
    )
    study.donate("P2", [play(ms_played=-1), play(ts="never"), play("2023-06-02T10:00:00Z", a_new_key=1)], "odd.zip")
    study.donate(
        "P2",
        {"tracks": [{"artist": "A", "album": "B", "track": "C", "uri": "spotify:track:2222222222222222222222"}]},
        "library.zip",
        "MyData/YourLibrary.json",
    )
    (study.study.surveys / "panas.csv").write_text(
        "participant_code,answered_at,instrument,item,answer\n"
        + "".join(f"P{number},2023-05-0{number}T11:00:00+00:00,affect_grid,pleasure,{number}\n" for number in (1, 2, 3))
    )
    study.load()
    study.dbt("run")
    return study


@pytest.fixture
def small_copy(kept: SmallStudy, tmp_path: Path) -> SmallStudy:
    return copied(kept, tmp_path / "study")


@pytest.fixture(scope="module")
def finished(kept: SmallStudy, tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """The same after P2 has withdrawn. Not to be written to."""
    study = copied(kept, tmp_path_factory.mktemp("finished") / "study")
    erase(study, "P2")
    return study


@pytest.fixture
def quick(finished: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of dbt: the warehouse that it made of the same vault."""
    monkeypatch.setattr(rewriting, "run_dbt", stand_in(finished.study.warehouse_path))


def stand_in(warehouse: Path) -> Callable[..., str]:
    def run(study: Study, *arguments: str) -> str:
        shutil.copyfile(warehouse, study.warehouse_path)
        shutil.copy(warehouse.with_name(study.desk_path.name), study.new_desk_path)
        study.new_desk_path.replace(study.desk_path)
        return ""

    return run


def state(study: SmallStudy) -> dict[str, Any]:
    """What a withdrawal leaves, but for moments: files, tables of the vault and of the warehouse, the ledger."""
    with study.opened(warehouse=True) as connection:
        assert verify(connection, study.study).passed
        vault = contents(connection, "vault")
        for table in ("consent_events", "ledger_lines", "tombstones", "study", "last_run"):
            vault.pop(f'"raw"."{table}"')
        return {
            "files": sorted(
                re.sub(r"\d{4}-\d\d-\d\dT\d{6}-", "", str(path.relative_to(study.root)))
                for path in study.root.rglob("*")
            ),
            "vault": {name: rows for name, rows in vault.items() if '"raw"' in name},
            "warehouse": contents(connection, "warehouse"),
            "ledger": connection.execute(
                "select ledger_line, participant_code, event, purposes from vault.raw.consent_events order by all"
            ).fetchall(),
            "entries": [entry.kind for entry in read_entries(connection)],
            "participants": study.study.participants_path.read_text(),
        }


def test_the_ledger_keeps_its_lines_under_a_token(kept: SmallStudy, finished: SmallStudy) -> None:
    token = token_of(finished, "P2")
    assert token == token_of(kept, "P2") and re.fullmatch("[0-9a-f]{32}", token)
    lines = finished.vault(
        "select participant_code, event, purposes = [] from vault.raw.consent_events order by ledger_line"
    )
    assert lines == [
        ("P1", "granted", False),
        (label(token), "granted", False),
        ("P3", "granted", False),
        (label(token), "withdrawn", True),
    ]
    assert finished.vault("select token from vault.raw.tombstones") == [(token,)]
    assert "P2" not in finished.study.consents_path.read_text()
    assert finished.study.tombstones_path.read_text().count(token) == 1


def test_titles_that_named_them_in_others_rows_stay_hidden(kept: SmallStudy, finished: SmallStudy) -> None:
    query = "select track_name from vault.raw.extended_plays where ts = '2023-06-01 10:00:00'"
    assert kept.vault(query) == [(f"For Listener-of-{2}, with love",)]
    assert finished.vault(query) == [(f"{label(token_of(kept, 'P2'))} 1",)]
    hidden = "select count(*) from marts.tracks where is_private and title is null"
    assert kept.warehouse(hidden) == finished.warehouse(hidden) == [(1,)]
    # The play keeps everything but its id, which is made of the title too. Nothing else of anybody changes.
    before, after = others(kept, but=pseudonym(kept, "P2")), others(finished)
    (old,), (new,) = (
        {row[0] for row in one} - {row[0] for row in other}
        for one, other in (
            (before["anonymized.anon_plays"], after["anonymized.anon_plays"]),
            (after["anonymized.anon_plays"], before["anonymized.anon_plays"]),
        )
    )
    # What counts plays, or takes the usual length of a track from them.
    of_all_plays = {"marts.tracks", "features.feat_track_names", "features.feat_track_recordings"}
    for table in before.keys() - of_all_plays:
        renamed = [tuple(new if value == old else value for value in row) for row in before[table]]
        assert sorted(renamed, key=repr) == sorted(after[table], key=repr), table


def test_every_table_of_the_vault_that_has_persons_is_emptied_of_them(kept: SmallStudy, finished: SmallStudy) -> None:
    ((number,),) = kept.vault("select participant_no from vault.raw.keyring where participant_code = 'P2'")
    filled = set()
    for study in (kept, finished):
        with study.opened() as connection:
            for table, key in connection.execute(
                "select table_name, column_name from duckdb_columns() semi join duckdb_tables() using (database_name, schema_name, table_name) where database_name = 'vault' and schema_name = 'raw' and column_name in ('participant_no', 'participant_code') and table_name <> 'consent_events'"
            ).fetchall():
                who = number if key == "participant_no" else "'P2'"
                ((rows,),) = connection.execute(
                    f"select count(*) from vault.raw.{table} where {key} = {who}"
                ).fetchall()
                if study is kept and rows:
                    filled.add(table)
                assert study is kept or not rows, table
    assert filled == {
        "keyring", "participants", "donations", "members", "donation_members", "extended_plays", "account_plays",
        "rejected_rows", "schema_drift", "survey_answers", "library_items", "applied_consents",
    }  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step_and_started_again_it_finishes(
    small_copy: SmallStudy, finished: SmallStudy, step: str
) -> None:
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom datetime import datetime\nfrom consonance.erasure import withdrawal\nfrom consonance.erasure.planning import plan\nfrom consonance.study.folder import Study\n"
        "import test_withdrawal\n"
        "from consonance.erasure import rewriting\nrewriting.run_dbt = test_withdrawal.stand_in(Path(sys.argv[2]))\n"
        "withdrawal._done = lambda name: os._exit(9) if name == sys.argv[3] else None\n"
        "study = Study.find(sys.argv[1])\n"
        "withdrawal.withdraw(study, plan(study, 'P2', datetime(2026, 2, 1, 12)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, small_copy.root, finished.study.warehouse_path, step],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1])])},
        check=False,
    )
    assert done.returncode == 9
    assert pending(small_copy.study) is not None
    with pytest.raises(WithdrawalUnfinished, match="consonance withdraw"):
        small_copy.load()
    with pytest.raises(WithdrawalUnfinished):
        rotate_key(small_copy.study)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rewriting, "run_dbt", stand_in(finished.study.warehouse_path))
        withdraw(small_copy.study)
    assert state(small_copy) == state(finished)


KILLS = int(os.environ.get("CONSONANCE_TEST_KILLS", "1"))


@pytest.mark.parametrize("number", range(KILLS))
@pytest.mark.thorough
def test_killed_at_any_moment_and_started_again_it_finishes(
    small_copy: SmallStudy, finished: SmallStudy, number: int
) -> None:
    """The whole command, dbt and all, killed with everything that it started."""
    command = [
        str(Path(sys.executable).with_name("consonance")),
        "withdraw",
        "P2",
        "--yes",
        "--study",
        str(small_copy.root),
    ]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        time.sleep(random.Random(number).uniform(0.6, 9.0))
        os.killpg(process.pid, signal.SIGKILL)
    done = consonance("withdraw", *([] if pending(small_copy.study) else ["P2"]), "--yes", "--study", small_copy.root)
    if done.returncode:  # it had ended before it was killed
        assert "was erased on" in done.stderr or "No withdrawal was interrupted" in done.stderr
    assert state(small_copy) == state(finished)


def _as_version_0_1_wrote_it(study: Study, content: str) -> None:
    """Put a pending record into the place and the words of version 0.1."""
    (study.pending / FILE).replace(study.pending / OLD_FILE)
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study)
        attach_under_key(connection, study.pending / OLD_FILE, "operation", read_key(study))
        connection.execute("update operation.facts set content = $content", {"content": content})


def _interrupted(study: Study) -> ErasureRecord:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(withdrawal, "delete_rows", lambda *_: sys.exit())
        with pytest.raises(SystemExit):
            withdraw(study, plan(study, "P2", NOW))
    record = pending(study)
    assert record
    return record


def test_a_withdrawal_that_version_0_1_began_is_finished(
    small_copy: SmallStudy, finished: SmallStudy, quick: None
) -> None:
    record = _interrupted(small_copy.study)
    content = json.loads(record.as_json())
    del content["tool_ids"]
    content |= {"papers": content.pop("study_files"), "kept": [], "project_digest": "", "audit_entries": 3}
    _as_version_0_1_wrote_it(small_copy.study, json.dumps(content))
    assert pending(small_copy.study) == record
    withdraw(small_copy.study)
    assert state(small_copy) == state(finished)


def test_a_withdrawal_that_an_unknown_version_began_is_refused(small_copy: SmallStudy) -> None:
    _interrupted(small_copy.study)
    _as_version_0_1_wrote_it(small_copy.study, '{"people": {}}')
    with pytest.raises(UnreadableRecord, match=r"another version of consonance\. Finish it with that version"):
        withdraw(small_copy.study)
    assert (small_copy.study.pending / OLD_FILE).exists()


# What is searched for

# Every other text column that belongs to persons or tracks: the search looks at it.
GIVEN = {
    *(column.name for table in tables().values() for column in table.columns.values() if column.text not in ("words", None)),
    "album", "content_uri", "creator", "key", "name", "participant_id", "region", "spotify_id", "spotify_uri", "title",
    "duration_ms_source", *(f"{feature}_source" for feature in features()),
}  # fmt: skip


def test_every_text_column_is_searched_or_holds_words(kept: SmallStudy) -> None:
    """A new column of texts is searched, unless somebody adds it to the words; here it is looked at in any case."""
    with kept.opened(warehouse=True) as connection:
        columns = {
            column
            for database in ("vault", "warehouse")
            for table in relations(connection, database)
            if not is_about_nobody(table)
            for column, _ in table.values(TEXTS)
        }
    assert columns - WORDS <= GIVEN
    assert set(WORDS_OF_MODELS) <= columns and not WORDS & GIVEN


# What may stay


def test_warehouse_and_desk_are_built_again_and_complete(kept: SmallStudy, finished: SmallStudy) -> None:
    with finished.opened() as connection:
        assert why_outdated(connection) is None
    assert kept.study.desk_path.exists() and list(differences(finished.study)) == []
    with duckdb.connect(str(finished.study.desk_path), read_only=True) as desk:
        persons = {name for (name,) in desk.execute("select participant_id from marts.participants").fetchall()}
    assert pseudonym(kept, "P2") not in persons and pseudonym(kept, "P1") in persons


def test_a_desk_that_dbt_does_not_replace_is_removed(
    small_copy: SmallStudy, finished: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forgetful(study: Study, *arguments: str) -> str:
        shutil.copyfile(finished.study.warehouse_path, study.warehouse_path)
        return ""

    monkeypatch.setattr(rewriting, "run_dbt", forgetful)
    with duckdb.connect(str(small_copy.study.desk_path), read_only=True) as reader:
        done = erase(small_copy, "P2")
        assert reader.execute("select count(*) > 0 from marts.plays").fetchall() == [(True,)]
    assert not small_copy.study.desk_path.exists()
    assert any(f"(process {os.getpid()}) still has the former analysis.duckdb open" in line for line in done.to_do)


@pytest.mark.parametrize("code", ["21", "library", "P1"])
def test_somebody_alone_can_go(tmp_path: Path, code: str) -> None:
    """What they alone had, and what stays for a reason: a purpose, a moment of the ledger, words of the project."""
    study = lay_out_small(tmp_path / "study")
    _append_line(study.study.participants_path, f"{code},1990,female,DE,Europe/Berlin,2025-01-01T10:00:00+00:00")
    study.consent(code, f"{EVERYTHING} library", at="2025-01-01T10:00:00+00:00")
    words = ("library", "listening_history", "exact", "tier", "kept", "Information for participants", "audit")
    study.donate(
        code, [play(f"2023-05-0{day}T10:00:00Z", master_metadata_track_name=word) for day, word in enumerate(words, 1)]
    )
    study.load()
    study.dbt("run")
    erased = erase(study, code)
    assert erased.scan.passed and erased.scan.texts > 10 and erased.scan.moments > 6
    assert pending(study.study) is None and erased.certificate.exists()
    assert study.vault("select count(*) from vault.raw.extended_plays") == [(0,)]
    assert (
        study.vault("select purposes from vault.raw.consent_events order by ledger_line limit 1")[0][0][-1] == "library"
    )
    study.load()


def _append_line(path: Path, line: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(line + "\n")


@pytest.mark.thorough
def test_a_title_that_is_the_code_of_somebody_in_the_ledger_alone_stays_theirs(tmp_path: Path) -> None:
    """That code is in no other row of the vault, and yet it is not the listener's: it stays."""
    study = lay_out_small(tmp_path / "study")
    study.admit("21")
    study.consent("P1")
    study.donate("21", [play(master_metadata_track_name="P1", spotify_track_uri=None)])
    study.load()
    study.dbt("run")
    withdraw(study.study, plan(study.study, "21", NOW))
    assert study.vault(
        "select participant_code from vault.intermediate.int_consent_state order by length(participant_code)"
    )[0] == ("P1",)
    assert not study.vault("select 1 from vault.raw.extended_plays")


def test_files_of_others_in_the_folders_of_dbt_stay(
    small_copy: SmallStudy, finished: SmallStudy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``DBT_TARGET_PATH`` and ``DBT_LOG_PATH`` name folders that hold more than what dbt wrote of this project."""
    target, logs = tmp_path / "thesis", tmp_path / "log"
    others_files = {
        target / "chapter.tex": "not ours",
        target / "manifest.json": '{"metadata": {"project_name": "another"}}',
        target / "compiled" / "another" / "x.sql": "select 1",
        logs / "dbt.log.1": '{"profile_name": "another"}',
        logs / "app.log": 'consonance, model.consonance.plays, "consonance"',
    }
    others_run, own_run = (
        f"\n\n{'=' * 30} 10:0{number}:00.000000 | 02f1622b-e85e-4259-88e6-dd3bf8b7599{number} {'=' * 30}\n{said}\n"
        for number, said in enumerate(("a run of another project", '/* {"profile_name": "consonance"} */'))
    )
    logs.mkdir()
    shared = logs / "dbt.log.2"
    shared.write_text(own_run + others_run + own_run + others_run)
    own_files = {
        target / "run_results.json": '{"results": [{"unique_id": "model.consonance.plays"}]}',
        target / "compiled" / "consonance" / "x.sql": "select 1",
        target / "run" / "consonance" / "x.sql": "select 1",
        logs / "dbt.log": '/* {"app": "dbt", "profile_name": "consonance"} */',
    }
    for path, content in (others_files | own_files).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    monkeypatch.setenv("DBT_TARGET_PATH", str(target))
    monkeypatch.setenv("DBT_LOG_PATH", str(logs))
    monkeypatch.setattr(rewriting, "run_dbt", stand_in(finished.study.warehouse_path))
    erase(small_copy, "P2")
    assert {path: path.read_text() for path in others_files} == others_files
    assert not any(path.exists() for path in own_files)
    assert shared.read_text().split() == (others_run + others_run).split()


def test_what_a_link_leads_to_stays_and_is_reported(
    small_copy: SmallStudy, finished: SmallStudy, quick: None, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    shutil.move(small_copy.study.inbox, elsewhere)
    small_copy.study.inbox.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    erased = erase(small_copy, "P2")
    assert sorted(elsewhere.rglob("*")) == before
    assert any("is a link out of the study folder" in line for line in erased.to_do)


def test_a_certificate_names_nobody_whatever_the_case(small_copy: SmallStudy, quick: None) -> None:
    (small_copy.root / "Notes on p2.txt").write_text("x")
    (small_copy.root / f"LISTENER-OF-{2}.txt").write_text("x")
    answers = small_copy.study.surveys / "grid of P2.csv"
    answers.write_text(
        "participant_code,answered_at,instrument,item,answer\nP2,2023-05-02T12:00:00Z,affect_grid,pleasure,5\n"
    )
    erased = erase(small_copy, "P2")
    for place in (erased.certificate, erased.page):
        assert not re.search(rf"\bP2\b|listener-of-{2}", place.read_text(), re.IGNORECASE), place
    assert json.loads(erased.certificate.read_text())["study_files"]["lines"]["surveys/grid of ….csv"] == 1
    stated = json.loads(erased.certificate.read_text())["left_to_the_operator"]
    assert [line.split(" names ")[0] for line in stated] == ["….txt", "Notes on ….txt", "surveys/grid of ….csv"]


def test_donations_and_ids_that_remain_are_listed(small_copy: SmallStudy, quick: None) -> None:
    """Whatever is called as the participant is; and what lies in the inbox itself and is of nobody."""
    study, inbox, tool_id = small_copy.study, small_copy.study.inbox, "5f2b9c1e"
    study.donation_ids_path.write_text(f"tool_id,participant_code\n{tool_id},P2\nid-of-p1,P1\n")
    donated = inbox / "P2" / "export.zip"
    small_copy.enrol("P2-b")
    small_copy.load()
    named = [
        *("P2.zip", "P2 (old)/my.zip", "p2/my.zip", "P1/notes_p2.txt", "P2-b/P2_b.zip"),
        *(f"assignment-1_participant-{tool_id}_key-17.json", f"P3/listener-of-{2}.zip"),
    ]
    of_nobody = ["ddm_download.zip", "ddm-stranger.json", "old.txt"]
    stay = ["P2-b/mine.zip", "P1/2.zip", "P1/P22.zip", "ddm.json", ".DS_Store"]
    for name in (*named, *of_nobody, *stay):
        (inbox / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(donated, inbox / name)
    for name, of in (("ddm.json", "id-of-p1"), ("ddm-stranger.json", "stranger")):
        donations = [{"participant": of, "consent": True, "data": [account_play()]}]
        (inbox / name).write_text(
            json.dumps({"blueprints": {"1": {"blueprint_name": "Spotify", "donations": donations}}})
        )
    (small_copy.root / "prolific.csv").write_text(f"id,email\n{tool_id},a@b.c\n")
    planned = plan(study, "P2", NOW)
    assert planned.tool_ids == (tool_id,)
    erased = withdraw(study, planned)
    expected = {f"inbox/{name} names the participant" for name in named} | {"prolific.csv names the participant"}
    expected |= {f"inbox/{name} is of nobody who is enrolled" for name in of_nobody}
    assert {line.partition(":")[0].partition(", or")[0] for line in erased.to_do} == expected
    # The certificate names neither them nor others, and nothing else keeps the id.
    for place in (erased.certificate, erased.page):
        assert not re.search(rf"p[12]\b|P2-b|{tool_id}|listener-of|stranger", place.read_text(), re.IGNORECASE), place
    kept = [path for path in small_copy.root.rglob("*") if path.is_file() and tool_id.encode() in path.read_bytes()]
    assert kept == [small_copy.root / "prolific.csv"]
    with small_copy.opened() as connection:
        assert tool_id not in str(contents(connection, "vault"))


def test_a_replay_of_somebody_who_is_not_back_looks_for_no_name(
    kept: SmallStudy, finished: SmallStudy, tmp_path: Path, quick: None
) -> None:
    study = copied(finished, tmp_path / "study")
    with open_study(study.study) as connection:
        connection.execute("delete from vault.raw.tombstones")
    planned = plan_replay(study.study)
    assert planned.people.participant_code == () and len(planned.tokens) == 1
    erased = withdraw(study.study, planned)
    assert erased.to_do == () and erased.scan.passed


# Nobody comes back


def test_a_vault_from_a_backup_is_not_opened_until_the_withdrawal_is_replayed(
    kept: SmallStudy, finished: SmallStudy, tmp_path: Path, quick: None
) -> None:
    study = copied(finished, tmp_path / "study")
    shutil.copyfile(kept.study.vault_path, study.study.vault_path)
    for attempt in (study.load, partial(publish, study.study, "controlled"), partial(rotate_key, study.study)):
        with pytest.raises(StaleBackup, match=r"older than 1 withdrawal.*withdraw --replay"):
            attempt()
    with pytest.raises(Exception, match="failed") as error:
        study.dbt("run")
    assert "older than 1 withdrawal" in getattr(error.value, "output", "")
    replayed = consonance("withdraw", "--replay", "--yes", "--study", study.root)
    assert replayed.returncode == 0, replayed.stderr
    assert not study.vault("select 1 from vault.raw.keyring where participant_code = 'P2'")
    assert others(study) == others(finished)
    study.load()
    assert study.vault(
        "select participant_code, event from vault.raw.consent_events order by ledger_line"
    ) == finished.vault("select participant_code, event from vault.raw.consent_events order by ledger_line")
    with pytest.raises(NothingPending):
        plan_replay(study.study)


def test_who_was_erased_is_not_let_in_again(
    kept: SmallStudy, finished: SmallStudy, tmp_path: Path, quick: None
) -> None:
    study = copied(finished, tmp_path / "study")
    held = others(study)
    # The same donation, in their folder and in somebody else's.
    shutil.copytree(kept.study.inbox / "P2", study.study.inbox / "P2")
    shutil.copyfile(kept.study.inbox / "P2" / "export.zip", study.study.inbox / "P1" / "found.zip")
    reasons = {donation.file: donation.reason for donation in study.load().donations}
    assert reasons["inbox/P2/export.zip"] == "erased" and reasons["inbox/P1/found.zip"] == "erased"
    assert reasons["inbox/P1/export.zip"] is None
    # Their lines.
    for path, line in (
        (study.study.participants_path, "P2,1990,female,DE,Europe/Berlin,2025-01-01"),
        (study.study.consents_path, "P2,granted,listening_history,v1,2026-01-01T10:00:00+00:00,,"),
    ):
        content = path.read_bytes()
        path.write_bytes(content + line.encode() + b"\n")
        number = (content + b"x").count(b"\n") + 1
        with pytest.raises(BadTable, match=f"line {number} names a participant who withdrew and was erased") as error:
            study.load()
        assert "another code" in error.value.remedy and "P2" not in str(error.value)
        path.write_bytes(content)
    # Answers without a line of consent are held like anybody's.
    with (study.study.surveys / "panas.csv").open("a") as file:
        file.write("P2,2023-05-02T11:00:00+00:00,affect_grid,pleasure,2\n")
    assert study.load().surveys[0].reasons == {"not_enrolled": 1}
    study.dbt("run")
    assert others(study) == held
    # A second withdrawal finds what was brought back, and clears it.
    first = finished.study.withdrawals
    again = erase(study, "P2")
    stated = json.loads(again.certificate.read_text())
    assert (stated["ledger_lines_renamed"], stated["study_files"]["donation_files"], stated["rows"]) == (0, 4, [])
    # The first certificate stays as it was.
    for path in first.iterdir():
        assert (study.study.withdrawals / path.name).read_bytes() == path.read_bytes()
    assert not (study.study.inbox / "P2").exists()
    assert "P2" not in (study.study.surveys / "panas.csv").read_text()
    with pytest.raises(UnknownParticipant, match="was erased on"):
        plan(study.study, "P2", NOW)


def test_tombstones_are_kept_with_and_without_the_vault(finished: SmallStudy, kept: SmallStudy, tmp_path: Path) -> None:
    study = copied(finished, tmp_path / "study")
    before = study.study.tombstones_path.read_bytes()
    study.study.tombstones_path.write_text("token,erased_at\nP2,2026-01-01\n")
    with pytest.raises(StaleBackup, match="cannot be read"):
        study.load()
    # Without the file the vault's own count, and are written again at the next withdrawal.
    study.study.tombstones_path.unlink()
    study.load()
    erase(study, "P3")
    assert before.splitlines()[1] in study.study.tombstones_path.read_bytes().splitlines()
    # A participant who is not in the backup at all: their tombstone comes back nonetheless.
    shutil.copyfile(kept.study.vault_path, study.study.vault_path)
    with open_study(study.study, may_be_stale=True) as connection:
        for table, key in (
            ("keyring", "participant_code"),
            ("participants", "participant_code"),
            ("consent_events", "participant_code"),
        ):
            connection.execute(f"delete from vault.raw.{table} where {key} = 'P3'")
    withdraw(study.study, plan_replay(study.study))
    assert study.vault("select count(*) from vault.raw.tombstones") == [(2,)]


# Releases


@pytest.fixture(scope="module")
def published(kept: SmallStudy, tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """P1 and P2 in release 1, P1 to P3 in release 2, which is current; no check was run. Not to be written to."""
    study = copied(kept, tmp_path_factory.mktemp("published") / "study")
    purposes = "(select purposes from vault.raw.consent_events where participant_code = 'P1')"
    for granted in ("['listening_history']", purposes):
        with open_study(study.study) as connection:
            connection.execute(
                f"update vault.raw.consent_events set purposes = {granted} where participant_code = 'P3'"
            )
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(k_anonymity, "limit", few_are_enough)
            publish(study.study, "controlled", on_study=(), on_release=())
    study.study.recipients_path.write_text(
        "release,recipient,handed_over_at\n1,A. Researcher,2026-01-05\n2,B. Else,\n1,C. Third,\n"
    )
    return study


def few_are_enough(_: str) -> int:
    """In place of the limits of k-anonymity: a release of two persons is not what is tested here."""
    return 1


@pytest.fixture
def released(published: SmallStudy, quick: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallStudy:
    monkeypatch.setattr(k_anonymity, "limit", few_are_enough)
    monkeypatch.setattr(unpublishing, "publish", partial(publish, on_study=(), on_release=()))
    return copied(published, tmp_path / "study")


def current(study: SmallStudy) -> str | None:
    link = study.study.published / "current"
    return str(link.readlink()) if link.is_symlink() else None


@pytest.mark.thorough
def test_releases_that_hold_them_are_unpublished_and_the_current_one_is_published_again(released: SmallStudy) -> None:
    assert current(released) == "2"
    erased = erase(released, "P2")
    assert current(released) == "3"
    assert sorted(path.name for path in released.study.published.iterdir()) == ["3", "current"]
    stated = json.loads(erased.certificate.read_text())
    assert [
        (release["number"], [one["recipient"] for one in release["recipients"]])
        for release in stated["unpublished_releases"]
    ] == [
        (1, ["A. Researcher", "C. Third"]),
        (2, ["B. Else"]),
    ]
    assert stated["current_release"]["number"] == 3 and "without them" in stated["current_release"]["why"]
    assert "cannot be taken back" in erased.page.read_text() and "C. Third" in erased.page.read_text()
    with released.opened() as connection:
        facts = [(entry.kind, json.loads(entry.facts)) for entry in read_entries(connection)]
    assert [fact["release"] for kind, fact in facts if kind == "published"] == [1, 2, 3]
    assert [fact["release"] for kind, fact in facts if kind == "release_unpublished"] == [1, 2]
    assert [fact["persons"] for kind, fact in facts if kind == "published"] == [2, 3, 2]


@pytest.mark.thorough
def test_a_release_without_them_stays(released: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rewriting, "run_dbt", run_dbt)
    erase(released, "P3")
    assert sorted(path.name for path in released.study.published.iterdir()) == ["1", "3", "current"]


@pytest.mark.thorough
def test_a_release_that_stays_is_searched_for_names_alone(
    released: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Times of a release are on another clock: that one is like theirs means nothing. A name does."""
    monkeypatch.setattr(rewriting, "run_dbt", run_dbt)
    ((moment,),) = released.vault(
        "select min(ts) from vault.raw.extended_plays inner join vault.raw.keyring using (participant_no) where participant_code = 'P3'"
    )
    database = released.study.published / "1" / "research.duckdb"
    database.chmod(0o644)
    with duckdb.connect(str(database)) as connection:
        connection.execute(f"update marts.plays set reason_start = 'listener-of-{3}', started_at_local = '{moment}'")
    with pytest.raises(ErasureIncomplete, match=r"found in release_1\.marts\.plays\.reason_start\."):
        erase(released, "P3")
    with duckdb.connect(str(database)) as connection:
        connection.execute("update marts.plays set reason_start = 'trackdone'")
    assert withdraw(released.study).scan.passed


def test_a_release_that_cannot_be_published_again_is_unpublished(
    released: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def closed(*_: Any, **__: Any) -> None:
        raise BadTable("The checks failed.", "Correct it.")

    monkeypatch.setattr(unpublishing, "publish", closed)
    erased = erase(released, "P2")
    assert current(released) is None and list(released.study.published.iterdir()) == []
    assert "The checks failed" in json.loads(erased.certificate.read_text())["current_release"]["why"]


def test_on_request_no_release_is_published_again(released: SmallStudy) -> None:
    erased = erase(released, "P2", rebuild=False)
    assert current(released) is None and erased.releases.current is None and erased.releases.numbers == (1, 2)


def test_a_public_release_is_unpublished_and_not_published_again(released: SmallStudy) -> None:
    with open_study(released.study) as connection:
        connection.execute("update vault.raw.releases set tier = 'public' where release_no = 2")
    erased = erase(released, "P2")
    assert current(released) is None and "would reveal the person" in erased.releases.why


# What an operator meets


def everything(study: SmallStudy) -> tuple[dict[Path, bytes], Any]:
    """The bytes of every file, and what the vault holds."""
    files = {
        path: path.read_bytes() for path in study.root.rglob("*") if path.is_file() and path != study.study.vault_path
    }
    with study.opened() as connection:
        return files, contents(connection, "vault")


def test_nothing_happens_without_a_yes(small_copy: SmallStudy) -> None:
    before = everything(small_copy)
    refused = consonance("withdraw", "P2", "--study", small_copy.root)
    assert refused.returncode == 1 and "Erase this? It cannot be undone." in refused.stderr
    assert "rows in the vault" in refused.stderr and "4 donated files" in refused.stderr
    assert everything(small_copy) == before
    assert pending(small_copy.study) is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["NOBODY", "--yes"], "no participant with this code. Check the spelling"),
        (["--yes"], "No withdrawal was interrupted"),
        (["--replay", "--yes"], "has every withdrawal"),
        (["P2", "--yes", "--requested-at", "yesterday"], "Invalid value"),
    ],
)
def test_what_cannot_be_done_is_explained(kept: SmallStudy, arguments: list[str], message: str) -> None:
    done = consonance("withdraw", *arguments, "--study", kept.root)
    assert done.returncode in (1, 2) and message in done.stderr


def test_the_command_says_where_the_certificate_is_and_what_is_left(
    small_copy: SmallStudy, finished: SmallStudy
) -> None:
    (small_copy.root / "notes.txt").write_text("P2 called on Tuesday. P22 did not.\n")
    (small_copy.root / "other.txt").write_text("P22 did not.\n")
    shutil.copyfile(small_copy.study.vault_path, small_copy.root / "vault-before-lunch")
    done = consonance("withdraw", "P2", "--yes", "--requested-at", "2026-02-03T10:00+01:00", "--study", small_copy.root)
    assert done.returncode == 0, done.stderr
    assert "notes.txt names the participant" in done.stdout and "vault-before-lunch" in done.stdout
    assert "other.txt" not in done.stdout and "backups" in done.stdout
    (certificate,) = small_copy.study.withdrawals.glob("*.json")
    stated = json.loads(certificate.read_text())
    assert str(certificate) in done.stdout and stated["requested_at"] == "2026-02-03T09:00:00.000Z"
    assert len(stated["left_to_the_operator"]) == 2
    ((moment,),) = small_copy.vault("select occurred_at from vault.raw.consent_events where event = 'withdrawn'")
    assert moment == datetime(2026, 2, 3, 9)


@pytest.mark.parametrize("text", ["P2", f"listener-of-{2}"])
def test_what_is_found_afterwards_is_not_certified(
    small_copy: SmallStudy, finished: SmallStudy, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Also if a recording of MusicBrainz is called so."""
    with open_catalogue(small_copy.study) as connection:
        connection.execute(
            "insert into catalogue.music.recordings by name "
            "select uuid() as recording_mbid, 'An Artist' as artist, $text as title, '' as album, 1 as score",
            {"text": text},
        )

    def forgetful(study: Study, *arguments: str) -> str:
        stand_in(finished.study.warehouse_path)(study)
        with duckdb.connect(str(study.warehouse_path)) as connection:
            connection.execute(
                "update marts.tracks set title = $text where track_id = (select min(track_id) from marts.tracks)",
                {"text": text},
            )
        return ""

    monkeypatch.setattr(rewriting, "run_dbt", forgetful)
    with pytest.raises(ErasureIncomplete, match=r"warehouse\.marts\.tracks\.title"):
        erase(small_copy, "P2")
    assert not small_copy.study.withdrawals.exists() and pending(small_copy.study)
    monkeypatch.setattr(rewriting, "run_dbt", stand_in(finished.study.warehouse_path))
    withdraw(small_copy.study)
    assert state(small_copy) == state(finished)


def test_two_withdrawals_do_not_meet(kept: SmallStudy) -> None:
    with only_one(kept.study), pytest.raises(WithdrawalBusy, match="is running"):
        withdraw(kept.study)


def test_what_a_pending_withdrawal_knows_is_encrypted(small_copy: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(name: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(withdrawal, "_done", stop)
    with pytest.raises(KeyboardInterrupt):
        erase(small_copy, "P2")
    (file,) = small_copy.study.pending.iterdir()
    assert small_copy.study.pending.stat().st_mode & 0o077 == 0
    with pytest.raises(duckdb.Error):
        duckdb.connect(str(file), read_only=True)
    assert f"listener-of-{2}".encode() not in file.read_bytes()


def test_a_faulty_ledger_stops_it_before_anything_is_erased(small_copy: SmallStudy) -> None:
    small_copy.consent("P1", "nonsense")
    with pytest.raises(BadTable, match="unknown purposes"):
        plan(small_copy.study, "P2", NOW)
    assert small_copy.vault("select count(*) from vault.raw.tombstones") == [(0,)]


@pytest.mark.parametrize("top", ["\n", "# Decisions\n", "# Anna's, \"Ben's;\n,,;\n\n", '"# One, two"\r\n'])
def test_what_stands_above_the_header_of_the_ledger_stops_no_withdrawal(
    small_copy: SmallStudy, finished: SmallStudy, quick: None, top: str
) -> None:
    ledger = small_copy.study.consents_path
    ledger.write_bytes(top.encode() + ledger.read_bytes())
    erase(small_copy, "P2")
    assert ledger.read_bytes() == top.encode() + finished.study.consents_path.read_bytes()
    small_copy.load()


def test_a_ledger_to_which_no_line_can_be_added_stops_it_before_anything_is_erased(small_copy: SmallStudy) -> None:
    ledger = small_copy.study.consents_path
    ledger.write_bytes(ledger.read_bytes().rstrip() + b'"')
    with pytest.raises(BadTable, match="No line can be added"):
        plan(small_copy.study, "P2", NOW)
    assert pending(small_copy.study) is None


# Lines of tables


@pytest.mark.parametrize(
    "content",
    [
        "#,code,valence\nabc1,21,7\nabc2,P1,21\n",
        "\n\r\n#;code;valence\r\nabc1; 21;7\r\nabc2;P1;21\r\n",
        "#\tcode\tvalence\rabc1\t21\t7\rabc2\tP1\t21\r",
    ],
)
def test_answers_go_whatever_their_header_begins_with(small: SmallStudy, content: str) -> None:
    """Typeform's first column is called ``#``."""
    (small.study.survey_maps).mkdir()
    (small.study.survey_maps / "typeform.yml").write_text(
        "files: typeform.csv\nformat: wide\nparticipant: code\nmoments: {answered: code}\nitems: {valence: affect_grid.valence}\n"
    )
    table = small.study.surveys / "typeform.csv"
    table.write_bytes(content.encode())
    assert study_files.find(small.study, ["21"]).lines == {"surveys/typeform.csv": 1}
    study_files.clear(small.study, {"21": "erased-0"})
    assert table.read_bytes() == re.sub("abc1.*?\\W7\r?\n?", "", content).encode()
    assert study_files.left_to_do(small.study, ["21"], []) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("no map.csv", "who,valence\n21,7\n"),
        ("title.csv", "Answers of May\nparticipant_code,valence\n21,7\n"),
        ("formr.json", '[{"session": "21"}]'),
        ("object.json", '{"participant_code": "21"}'),
    ],
)
def test_questionnaire_files_in_which_no_column_has_codes_are_named(small: SmallStudy, name: str, content: str) -> None:
    (small.study.surveys / name).write_text(content)
    (small.study.surveys / "empty.csv").write_text("\n")
    (small.study.surveys / "questions.csv").write_text("columnName,fullQuestion\nmood,How are you?\n")
    study_files.clear(small.study, {"21": "erased-0"})
    (to_do,) = study_files.left_to_do(small.study, ["21"], [])
    assert to_do.startswith(f"surveys/{name} ") and to_do.endswith("remove the participant's lines from it.")


CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r"), max_size=8)


@given(
    rows=st.lists(st.tuples(st.sampled_from(["P1", "P2", " P2 ", "P22", "# P2"]), CELL, CELL), max_size=12),
    delimiter=st.sampled_from([",", ";"]),
    ending=st.sampled_from(["\n", "\r\n"]),
    mark=st.booleans(),
    becomes=st.sampled_from([None, "erased-0"]),
)
@settings(max_examples=300, deadline=None)
def test_only_the_rows_of_the_code_change(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    delimiter: str,
    ending: str,
    mark: bool,
    becomes: str | None,
) -> None:
    def written(rows: list[tuple[str, str, str]]) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, delimiter=delimiter, lineterminator=ending)
        writer.writerow(("participant_code", "one", "two"))
        writer.writerows(rows)
        return (b"\xef\xbb\xbf" if mark else b"") + text.getvalue().encode()

    path = tmp_path_factory.getbasetemp() / "table.csv"
    path.write_bytes(written(rows))
    content, concerned = _relabelled(_Table(path, ["participant_code"], becomes), "P2")
    expected = [
        (becomes or "", *row[1:]) if row[0].strip() == "P2" else row
        for row in rows
        if becomes or row[0].strip() != "P2"
    ]
    assert concerned == sum(row[0].strip() == "P2" for row in rows)
    assert content == written(expected)
