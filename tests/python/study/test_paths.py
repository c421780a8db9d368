"""Folders of any name: the study's and the project's; and what cannot be had is said, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from commands import consonance
from conftest import SmallStudy, copy_project, lay_out_small, play

from consonance.checks.checkpoint import run_checkpoint
from consonance.study import layout as study_layout
from consonance.study.folder import Study, UnusableFolder
from consonance.study.layout import CannotLayOut, StudyExists, lay_out_study

ODD = "o'neil #1 [x]* {a} %20 Ünï 日本"


@pytest.fixture(scope="module")
def oddly_placed(tmp_path_factory: pytest.TempPathFactory) -> SmallStudy:
    """A study of one in a folder of an odd name, loaded."""
    study = lay_out_small(tmp_path_factory.mktemp("odd") / ODD / "study")
    study.admit("P1")
    study.donate("P1", [play()])
    assert study.load().exit_status == 0
    return study


def test_a_study_may_lie_in_a_folder_of_any_name(oddly_placed: SmallStudy) -> None:
    oddly_placed.dbt("run")
    assert oddly_placed.warehouse("select count(*) from marts.plays") == [(1,)]
    assert [result.rule.name for result in run_checkpoint(oddly_placed.study) if not result.passed] == []
    for command in (["doctor"], ["consent", "status"], ["check", "wall"]):
        done = consonance(*command, "--study", oddly_placed.root)
        assert done.returncode == 0, (command, done.stdout, done.stderr)


@pytest.mark.thorough
def test_the_project_may_lie_in_a_folder_of_any_name(oddly_placed: SmallStudy, tmp_path: Path) -> None:
    project = tmp_path / ODD
    copy_project(project)
    for command in ("run", "seed"):
        done = subprocess.run(
            [Path(sys.executable).with_name("dbt"), "--quiet", command],
            cwd=project,
            env=os.environ
            | {
                "PYTHONPATH": str(project),
                "CONSONANCE_STUDY": str(oddly_placed.root),
                "DBT_TARGET_PATH": str(tmp_path / "target"),
                "DBT_LOG_PATH": str(tmp_path / "logs"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
    with duckdb.connect(str(oddly_placed.study.warehouse_path), read_only=True) as connection:
        assert connection.execute("select count(*) > 200 from reference.country_time_zones").fetchall() == [(True,)]


def test_a_question_mark_is_refused_and_nothing_is_laid_out(tmp_path: Path) -> None:
    for attempt in (lay_out_study, Study.find):
        with pytest.raises(UnusableFolder, match=r"a '\?' in its path.*without '\?'"):
            attempt(tmp_path / "who?" / "study")
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_cannot_be_laid_out_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(study_layout, "lay_out_stores", full)
    with pytest.raises(CannotLayOut, match="No space left on device"):
        lay_out_study(tmp_path / "new")
    assert not (tmp_path / "new").exists()
    (tmp_path / "old" / "inbox").mkdir(parents=True)
    (tmp_path / "old" / "README.md").write_text("mine")
    with pytest.raises(CannotLayOut):
        lay_out_study(tmp_path / "old")
    assert sorted(path.name for path in (tmp_path / "old").iterdir()) == ["README.md", "inbox"]
    monkeypatch.undo()
    lay_out_study(tmp_path / "old")
    assert (tmp_path / "old" / "README.md").read_text() == "mine"
    with pytest.raises(StudyExists):
        lay_out_study(tmp_path / "old")


def test_a_file_in_the_place_of_the_study_is_reported(tmp_path: Path) -> None:
    (tmp_path / "study").write_text("a file")
    done = consonance("init", tmp_path / "study")
    assert done.returncode == 1 and "No study can be created in" in done.stderr and "Traceback" not in done.stderr
    assert (tmp_path / "study").read_text() == "a file"
