"""The doctor: each thing that can be wrong with a study is planted, and found with its remedy."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commands import consonance
from conftest import SmallStudy, lay_out_small, play

from consonance.study import doctor
from consonance.study.dbt_command import DbtFailed
from consonance.study.doctor import examine
from consonance.study.folder import Study
from consonance.study.status import status_of
from consonance.study.vault import open_study


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A study, loaded and built. Not to be written to."""
    study = lay_out_small(tmp_path_factory.mktemp("doctor") / "study")
    for code in ("P1", "P2"):
        study.admit(code)
        study.donate(code, [play(master_metadata_track_name=f"Song of {code}")])
    study.load()
    study.dbt("run")
    return study


@pytest.fixture(autouse=True)
def _stingy() -> Iterator[None]:
    """What is planted is open to nobody: that would be one thing more."""
    before = os.umask(0o077)
    yield
    os.umask(before)


@pytest.fixture
def study(sound: SmallStudy, tmp_path: Path) -> SmallStudy:
    shutil.copytree(sound.root, tmp_path / "study", symlinks=True)
    return SmallStudy(Study.find(tmp_path / "study"))


def run(study: SmallStudy, statement: str) -> None:
    with open_study(study.study) as connection:
        connection.execute(statement)


def found(study: SmallStudy) -> list[tuple[str, str]]:
    return [(finding.what, finding.remedy) for finding in examine(study.study).findings]


def test_nothing_is_wrong_with_a_sound_study(sound: SmallStudy) -> None:
    assert examine(sound.study).findings == ()
    done = consonance("doctor", "--study", sound.root)
    assert done.returncode == 0 and "Nothing is wrong" in done.stdout


def _withdraw(study: SmallStudy) -> None:
    study.consent("P2", "", event="withdrawn", at="2025-06-01T10:00:00+00:00")
    study.load()


def _narrow(study: SmallStudy) -> None:
    study.consent("P2", "listening_history", event="amended", at="2025-06-01T10:00:00+00:00")
    study.load()


def _release(study: SmallStudy) -> None:
    run(
        study,
        "insert into vault.raw.releases values (1, 'controlled', '2026-01-01', '2026-01-01', '2026-01-01', null); insert into vault.raw.release_keyring values (1, 1, 'pone', 3)",
    )
    (study.study.published / "1").mkdir(parents=True)


def _forget(study: SmallStudy) -> None:
    study.study.tombstones_path.write_text(f"token,erased_at\n{'0' * 32},2026-01-01T00:00:00Z\n")


FAULTS: list[tuple[Callable[[SmallStudy], object], str, str]] = [
    (lambda study: study.root.chmod(0o755), "may enter", "chmod 700"),
    (lambda study: study.study.key_path.chmod(0o644), "can be read by others", "chmod 600"),
    (lambda study: study.study.key_path.unlink(), "is missing", "Restore it"),
    (lambda study: study.study.settings_path.write_text("colour: blue\n"), "unknown settings: colour", "Known are"),
    (lambda study: study.study.old_key_path.write_text("x"), "change of the key was interrupted", "key rotate"),
    (lambda study: study.study.pending.mkdir(), "withdrawal was interrupted", "consonance withdraw"),
    (lambda study: (study.root / ".twin-1").mkdir(), "was interrupted, or still runs", "delete it"),
    (
        lambda study: (study.study.published / ".making-1").mkdir(parents=True),
        "was interrupted, or still runs",
        "delete it",
    ),
    (_forget, "older than 1 withdrawal", "withdraw --replay"),
    (
        lambda study: run(study, f"insert into vault.raw.tombstones values ('{'0' * 32}', now())"),
        "Tombstones that the vault has are missing",
        "Restore the file",
    ),
    (
        lambda study: run(study, "update vault.raw.audit_log set kind = 'other' where entry_no = 2"),
        "Entry 2 was changed",
        "audit verify",
    ),
    (lambda study: run(study, "drop table vault.raw.applied_consents"), "lacks tables", "consonance load"),
    (
        lambda study: run(study, "update vault.raw.study set as_of = '2020-01-01'"),
        "The vault judges consent as of 2020-01-01 00:00 (UTC)",
        "consonance load",
    ),
    (
        lambda study: study.consent("P2", "", event="withdrawn", at="2025-06-01T10:00:00+00:00"),
        "The last 1 lines are not in the vault yet, 1 withdrawals among them",
        "consonance load",
    ),
    (_withdraw, "has withdrawn", "consonance withdraw P2"),
    (_narrow, "took back a purpose", "consonance load"),
    (lambda study: study.study.warehouse_path.unlink(), "no warehouse", "dbt run"),
    (lambda study: study.study.desk_path.unlink(), "Analysts have no file to open", "dbt run"),
    (lambda study: study.load(), "changed after the warehouse was built", "dbt run"),
    (lambda study: run(study, "delete from vault.raw.last_run"), "has not built the warehouse", "dbt run"),
    (lambda study: study.dbt("run", "--select", "int_known_names"), "was not complete (a part was selected", "dbt run"),
    (lambda study: run(study, "update vault.raw.last_run set project_digest = ''"), "seeds have changed", "dbt run"),
    (lambda study: (study.study.published / "7").mkdir(parents=True), "not in the release register", "newer vault"),
    (_release, "1 of the participants in it no longer agree", "publish again"),
]


@pytest.mark.parametrize(("spoil", "what", "remedy"), FAULTS, ids=[what for _, what, _ in FAULTS])
def test_each_fault_is_a_finding_with_its_remedy(
    study: SmallStudy, spoil: Callable[[SmallStudy], object], what: str, remedy: str
) -> None:
    spoil(study)
    if spoil in (_withdraw, _narrow):
        run(study, "update vault.raw.last_run set audit_entries = 1000")
    findings = found(study)
    assert len(findings) == 1 and what in findings[0][0] and remedy in findings[0][1], findings


def test_a_link_that_leads_nowhere_is_a_finding(study: SmallStudy) -> None:
    study.study.published.mkdir()
    (study.study.published / "current").symlink_to("9")
    assert found(study) == [("This link leads to no release.", "Delete it, or publish again.")]


def test_little_room_is_a_finding_and_not_grave(study: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "ROOM", 1 << 40)
    diagnosis = examine(study.study)
    assert diagnosis.passed and "MiB are free" in diagnosis.findings[0].what


def test_the_command_ends_with_status_1_if_something_is_grave(study: SmallStudy) -> None:
    (study.root / ".paired-rebuild-1").mkdir()
    done = consonance("doctor", "--json", "--study", study.root)
    assert done.returncode == 1
    assert json.loads(done.stdout)["findings"][0]["place"].endswith(".paired-rebuild-1")
    (study.root / ".paired-rebuild-1").rmdir()
    study.study.warehouse_path.unlink()
    done = consonance("doctor", "--study", study.root)
    assert done.returncode == 0 and "dbt run" in done.stdout


def test_dbt_says_what_a_vault_of_an_older_version_needs(study: SmallStudy) -> None:
    run(study, "drop table vault.raw.last_run")
    with pytest.raises(DbtFailed) as failed:
        study.dbt("run", "--select", "int_known_names")
    assert "was made by an older version. Run 'consonance load' first." in " ".join(failed.value.output.split())
    assert "Traceback" not in failed.value.output
    study.load()
    study.dbt("run", "--select", "int_known_names")


def test_the_status_says_what_is_held_and_what_to_run_next(study: SmallStudy) -> None:
    done = consonance("status", "--json", "--study", study.root)
    told = json.loads(done.stdout)
    assert done.returncode == 0
    assert (told["loaded"]["donations"], told["loaded"]["plays"], told["release"]) == (2, 2, None)
    assert told["desk_written_at"] and told["findings"] == 0
    assert next(step["command"] for step in told["next"]) == "consonance sql"
    study.donate("P3", [play()])
    study.donate("P1", [play("2024-01-01T10:00:00Z")], "later.zip")
    status = status_of(study.study)
    assert (status.held, status.not_loaded) == ({"not_enrolled": 1}, 1)
    assert list(status.next) == ["consonance load", "dbt run"]
    shown = consonance("status", "--study", study.root).stdout
    assert "1 not enrolled: Enrol the participant in participants.csv" in " ".join(shown.split())
    assert max(map(len, shown.splitlines())) <= 80


def test_the_status_of_an_empty_study_begins_with_a_load(tmp_path: Path) -> None:
    status = status_of(lay_out_small(tmp_path / "empty").study)
    assert status.loaded_at is None and list(status.next) == ["consonance load", "dbt run"]
