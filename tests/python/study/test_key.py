"""Another key for the vault: everything as before under the new one, nothing under the old, killed or not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import duckdb
import pytest
from commands import consonance
from conftest import SmallStudy, lay_out_small, play

from consonance.study import fresh_vault, key_rotation
from consonance.study.audit_log import read_entries
from consonance.study.audit_verification import verify
from consonance.study.folder import Study
from consonance.study.fresh_vault import Contents, CopyFailed, contents
from consonance.study.key import KEY_VARIABLE, VaultKeyError, read_key
from consonance.study.key_rotation import KeyFromOutside, rotate_key
from consonance.study.store_errors import StoreError
from consonance.study.vault import WrongKey, attach_under_key, open_study, prepare, session_settings

STEPS = ("begun", "half copied", "copied", "new key written", "vault replaced", "key replaced", "opened")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A loaded and built study. Not to be written to."""
    study = lay_out_small(tmp_path_factory.mktemp("key") / "study")
    for number in range(3):
        study.admit(f"P{number}")
        study.donate(
            f"P{number}",
            [play(f"2023-05-0{number + 1}T10:00:{second:02d}Z", username=f"listener-{number}") for second in range(50)],
        )
    study.load()
    study.dbt("run")
    return study


@pytest.fixture
def copied(kept: SmallStudy, tmp_path: Path) -> SmallStudy:
    shutil.copytree(kept.root, tmp_path / "study")
    return SmallStudy(Study.find(tmp_path / "study"))


def held(study: SmallStudy) -> Contents:
    with open_study(study.study, read_only=True) as connection:
        assert verify(connection, study.study).passed
        return contents(connection, "vault")


def names(study: SmallStudy) -> set[str]:
    return {path.name for path in study.root.iterdir()}


def opens(study: SmallStudy, key: str) -> bool:
    with duckdb.connect(config=session_settings()) as connection:
        prepare(connection, study.study)
        try:
            attach_under_key(connection, study.study.vault_path, "vault", key, read_only=True)
        except WrongKey:
            return False
        return True


def test_everything_is_as_before_under_another_key(copied: SmallStudy) -> None:
    before, files, old = held(copied), names(copied), read_key(copied.study)
    assert before['"raw"."extended_plays"'][0] == 150
    done = consonance("key", "rotate", "--study", copied.root)
    assert done.returncode == 0, done.stderr
    new = read_key(copied.study)
    assert new != old and not opens(copied, old) and opens(copied, new)
    for secret in (old, new):
        assert secret not in done.stdout + done.stderr
    assert "Backups" in done.stdout
    assert held(copied) == before
    assert names(copied) == files
    assert copied.study.key_path.stat().st_mode & 0o777 == 0o600
    with open_study(copied.study, read_only=True) as connection:
        assert read_entries(connection)[-1].kind == "key_rotated"
    # Sequences go on, views are there, dbt finds its way, and a load changes nothing.
    assert copied.load().exit_status == 0
    copied.admit("P9")
    copied.donate("P9", [play()])
    copied.load()
    assert copied.vault("select max(donation_id), count(*) from vault.raw.donations") == [(4, 4)]
    assert copied.vault("select count(*) from vault.raw.load_accounting") == [(4,)]
    copied.dbt("run")
    assert copied.warehouse("select count(*) from marts.plays") == [(151,)]


def killed_at(study: SmallStudy, step: str) -> None:
    script = (
        "import os, sys; from consonance.study import key_rotation; from consonance.study.folder import Study\n"
        "key_rotation._step = lambda name: os._exit(9) if name == sys.argv[2] else None\n"
        "key_rotation.rotate_key(Study.find(sys.argv[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, study.root, step], capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_study_opens_and_the_next_rotation_finishes(copied: SmallStudy, step: str) -> None:
    before, files, old = held(copied), names(copied), read_key(copied.study)
    killed_at(copied, step)
    assert held(copied) == before
    # The first who opened it has put the key in its place.
    is_new = step in STEPS[STEPS.index("vault replaced") :]
    assert (read_key(copied.study) != old) == is_new
    assert opens(copied, read_key(copied.study)) and opens(copied, old) != is_new
    assert copied.load().exit_status == 0
    rotate_key(copied.study)
    assert names(copied) == files
    assert not opens(copied, old)
    with open_study(copied.study, read_only=True) as connection:
        assert verify(connection, copied.study).passed


def test_a_key_that_is_pending_is_not_adopted_where_it_does_not_open_the_vault(copied: SmallStudy) -> None:
    old = read_key(copied.study)
    killed_at(copied, "new key written")
    copied.study.new_vault_path.unlink()
    assert held(copied)
    assert read_key(copied.study) == old
    copied.study.key_path.write_text("0" * 64)
    with pytest.raises(StoreError):
        held(copied)
    assert copied.study.key_path.read_text() == "0" * 64


@pytest.mark.parametrize("step", STEPS)
def test_an_interrupt_leaves_the_old_key_and_nothing_else_or_waits_until_the_new_one_is_in_place(
    copied: SmallStudy, step: str
) -> None:
    before, files, old = held(copied), names(copied), read_key(copied.study)
    script = (
        "import os, signal, sys; from consonance.study import key_rotation; from consonance.cli.main import main\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler); at = sys.argv.pop()\n"
        "key_rotation._step = lambda name: os.kill(os.getpid(), signal.SIGINT) if name == at else None\n"
        "main()\n"
    )
    arguments = ("key", "rotate", "--study", copied.root, step)
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert names(copied) == files and held(copied) == before
    assert "Traceback" not in done.stderr
    if step in STEPS[: STEPS.index("new key written")]:
        assert done.returncode == 130 and "Interrupted. What was finished is kept" in done.stderr and not done.stdout
        assert read_key(copied.study) == old
    else:
        assert done.returncode == 0 and "Keep a copy" in done.stdout
        assert "The interrupt came when the new key was being put in place" in done.stderr
        assert read_key(copied.study) != old and not opens(copied, old)


def test_nobody_writes_to_the_vault_meanwhile(copied: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    messages = []
    monkeypatch.setattr(
        key_rotation,
        "_step",
        lambda name: (
            messages.append(consonance("load", "--study", copied.root).stderr) if name == "half copied" else None
        ),
    )
    rotate_key(copied.study)
    assert len(messages) == 1 and "in use by another program" in messages[0]
    assert copied.load().exit_status == 0


def test_a_vault_in_use_is_not_rotated(copied: SmallStudy) -> None:
    old = read_key(copied.study)
    script = "import sys; from consonance.study.folder import Study; from consonance.study.vault import open_study\nwith open_study(Study.find(sys.argv[1]), read_only=True): print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script, copied.root], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        with pytest.raises(StoreError, match="in use"):
            rotate_key(copied.study)
        other.communicate("\n")
    assert read_key(copied.study) == old


def test_a_copy_that_differs_changes_nothing(copied: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    before, files, old = held(copied), names(copied), read_key(copied.study)
    monkeypatch.setattr(
        fresh_vault,
        "contents",
        lambda connection, name: contents(connection, name) | ({"lost": (0, 0)} if name == "old" else {}),
    )
    with pytest.raises(CopyFailed, match="not the same"):
        rotate_key(copied.study)
    assert (held(copied), names(copied), read_key(copied.study)) == (before, files, old)


def test_a_row_more_or_another_value_makes_other_contents(copied: SmallStudy) -> None:
    with open_study(copied.study) as connection:
        whole = contents(connection, "vault")
        for statement in (
            "delete from vault.raw.extended_plays where row_no = 1",
            "update vault.raw.extended_plays set ms_played = 1",
            "insert into vault.raw.survey_rejects values ('a', 'b', 1)",
        ):
            connection.begin()
            connection.execute(statement)
            assert contents(connection, "vault") != whole
            connection.rollback()
        assert contents(connection, "vault") == whole


def test_what_cannot_be_rotated_is_explained(copied: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    key, files = read_key(copied.study), names(copied)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: namedtuple("usage", "total used free")(0, 0, 1000))
    with pytest.raises(CopyFailed, match="0 MiB are free"):
        rotate_key(copied.study)
    monkeypatch.undo()
    monkeypatch.setenv(KEY_VARIABLE, key)
    with pytest.raises(KeyFromOutside, match="unset CONSONANCE_VAULT_KEY") as error:
        rotate_key(copied.study)
    assert key not in str(error.value)
    monkeypatch.delenv(KEY_VARIABLE)
    copied.study.key_path.chmod(0o644)
    with pytest.raises(VaultKeyError, match="chmod 600"):
        rotate_key(copied.study)
    copied.study.key_path.chmod(0o600)
    copied.study.key_path.write_text("f" * 64)
    with pytest.raises(WrongKey, match="key rotate"):
        rotate_key(copied.study)
    assert names(copied) == files
