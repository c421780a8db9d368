"""A study is its owner's alone, however it was filled; releases are for others."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from commands import consonance
from conftest import SmallStudy, lay_out_small, play

from consonance.study.dbt_command import log_folder, target_folder
from consonance.study.doctor import examine
from consonance.study.modes import open_places


@pytest.fixture(autouse=True)
def _generous() -> Iterator[None]:
    """What tests write is open to others, as most machines have it."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_study_is_laid_out_for_its_owner(tmp_path: Path) -> None:
    assert consonance("init", tmp_path / "study").returncode == 0
    found = {path: stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "study", *(tmp_path / "study").rglob("*")]}
    assert len(found) > 10
    assert set(found.values()) == {0o600, 0o700}


def test_a_load_closes_what_was_put_there_and_says_so(small: SmallStudy) -> None:
    small.admit("P1")
    small.donate("P1", [play()])
    outside = small.root.with_name("outside.csv")
    outside.write_text("not of the study")
    (small.root / "link.csv").symlink_to(outside)
    (small.study.published / "1").mkdir(parents=True)
    (small.study.published / "1" / "codebook.csv").write_text("for others")
    (small.study.published / "draft.csv").write_text("for nobody")
    small.study.participants_path.chmod(0o644)
    findings = [finding for finding in examine(small.study).findings if "rights on" in finding.what]
    assert [finding.is_grave for finding in findings] == [False]
    assert "inbox, notice-v1.txt, participants.csv, published" in findings[0].what
    done = consonance("load", "--study", small.root)
    said = " ".join(done.stdout.split())
    assert (
        "Other users of this machine could read inbox, notice-v1.txt, participants.csv, published. Now only you can."
        in said
    )
    assert open_places(small.study) == []
    assert not any("rights on" in finding.what for finding in examine(small.study).findings)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert stat.S_IMODE((small.study.published / "1" / "codebook.csv").stat().st_mode) == 0o644
    assert "only you can" not in consonance("load", "--study", small.root).stdout


def test_a_key_that_others_can_read_is_refused_and_not_closed_in_silence(small: SmallStudy) -> None:
    small.study.key_path.chmod(0o644)
    done = consonance("load", "--study", small.root)
    assert done.returncode == 1 and "chmod 600" in " ".join(done.stderr.split())
    assert stat.S_IMODE(small.study.key_path.stat().st_mode) == 0o644


def test_dbt_leaves_nothing_open(tmp_path: Path) -> None:
    made = lay_out_small(tmp_path / "study")
    made.admit("P1")
    made.donate("P1", [play()])
    made.load()
    made.dbt("run")
    assert stat.S_IMODE(made.study.warehouse_path.stat().st_mode) == 0o600
    made.study.warehouse_path.chmod(0o666)
    made_by_dbt = target_folder() / "run"
    shutil.rmtree(made_by_dbt, ignore_errors=True)
    target_folder().chmod(0o755)
    assert any(str(target_folder()) == finding.place for finding in examine(made.study).findings)
    made.dbt("run", "--select", "stg_study")
    assert open_places(made.study) == []
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (target_folder(), log_folder())] == [0o700, 0o700]
    assert {stat.S_IMODE(path.stat().st_mode) & 0o077 for path in made_by_dbt.rglob("*")} == {0}
