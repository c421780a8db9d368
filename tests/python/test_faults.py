"""Planted faults: each is a small patch of the project, applied to a copy, and caught by the guard it names.

``tests/faults/*.yml`` lists them. The tree without a fault passes every guard.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import as_zip, play

from loaders.synthetic.study import make_study
from quality.checkpoint import run_checkpoint
from quality.rules import all_rules
from stores.dbt_command import PROJECT
from stores.study import STUDY_VARIABLE, Study
from stores.vault import attach_study, session_settings

FAULTS: list[dict[str, Any]] = [
    fault
    for path in sorted((PROJECT / "tests" / "faults").glob("*.yml"))
    for fault in yaml.safe_load(path.read_text(encoding="utf-8"))
]
ALONE = ("models/staging", "functions", "macros", "dbt_project.yml")
WITH_DATA = [fault for fault in FAULTS if fault["guard"] != "wall"]
PROJECT_PARTS = (
    "consonance", "loaders", "stores", "quality", "models", "macros", "functions", "seeds", "analyses", "tests/sql",
    "docs", "dbt_project.yml", "profiles.yml",
)  # fmt: skip
# What identifies people in the base study; no command may print it.
UNSPEAKABLE = re.compile(r"listener-\d+-q7x|198\.51\.100\.|mail\.example", re.IGNORECASE)
# The guards of the study are asked by other faults.
PUBLISH = (
    "from quality.release.publish import publish; from stores.study import Study;"
    "publish(Study.find(), 'controlled', on_study=())"
)
GUARDS = ("wall", "interference", "traces")
RULES = {rule.name: rule for rule in all_rules()}


@dataclass(frozen=True)
class Tree:
    """A copy of the project and a study beside it."""

    root: Path

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def study(self) -> Study:
        return Study(self.root / "study")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the copy: its modules come before those that are installed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT")}
        environment |= {STUDY_VARIABLE: str(self.study.root), "PYTHONPATH": str(self.project)}
        return subprocess.run(
            [sys.executable, *command],
            cwd=self.project,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("-m", "dbt.cli.main", "--no-use-colors", *arguments)

    def consonance(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("-c", "from consonance.cli import main; main()", *arguments)


def _copy_project(place: Path) -> None:
    for part in PROJECT_PARTS:
        source, target = PROJECT / part, place / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)


def _tell_canaries(study: Study) -> None:
    """A donation in which every field holds what must not pass."""
    canaries = [
        play(
            "2023-05-01T10:00:00Z",
            61_000,
            spotify_track_uri="spotify:track:3n3Ppam7vgaVa1iaRUc9Lp",
            master_metadata_track_name="write to jane@mail.example",
        ),
        play("2023-05-01T11:00:00Z", 62_000, reason_end="198.51.100.7"),
        play(
            "2023-05-01T12:00:00Z",
            63_000,
            spotify_track_uri="spotify:local:Jane:Home:Paper+track:180",
            master_metadata_track_name="Paper track",
            platform="A thing nobody knows (SM-X900)",
        ),
        play("2023-05-01T13:00:00Z", 64_000, incognito_mode=True),
    ]
    as_zip(study.inbox / "D024" / "more.zip", {"Spotify Extended Streaming History/Audio.json": canaries})


def _change_minds(study: Study) -> None:
    """Withdrawals and amendments after loading, so that the vault holds what may no longer pass."""
    with duckdb.connect(config=session_settings()) as connection:
        attach_study(connection, study)
        connection.execute(
            """
            insert into vault.raw.consent_events values
                (9001, 'D009', 'withdrawn', [], 'v1', '2026-01-15', null, null),
                (9002, 'D010', 'amended', ['listening_history'], 'v1', '2026-01-15', null, null),
                (9003, 'D006', 'amended', ['listening_history', 'podcasts_audiobooks', 'private_sessions', 'demographics'], 'v1', '2027-01-01', null, null)
            """
        )


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """The project as it is, with a study loaded and built; ``unloaded`` beside it is the study before loading."""
    tree = Tree(tmp_path_factory.mktemp("base") / "copied")
    _copy_project(tree.project)
    make_study(tree.study.root, seed=5, people=26, plays=9_000)
    _tell_canaries(tree.study)
    shutil.copytree(tree.study.root, tree.root / "unloaded")
    loaded = tree.consonance("load", "--json")
    assert loaded.returncode == 2, loaded.stderr
    assert not UNSPEAKABLE.search(loaded.stdout + loaded.stderr)
    _change_minds(tree.study)
    done = tree.dbt("run")
    assert done.returncode == 0, done.stdout[-3000:]
    shutil.rmtree(tree.project / "logs")
    kept = Tree(tree.root.with_name("kept"))
    tree.root.rename(kept.root)
    return kept


@pytest.fixture
def copied(base: Tree) -> Tree:
    """A fresh copy, always in the same place: there dbt parses only what a fault has changed."""
    tree = Tree(base.root.with_name("copied"))
    shutil.rmtree(tree.root, ignore_errors=True)
    shutil.copytree(base.root, tree.root, copy_function=shutil.copy2)
    return tree


def _plant(tree: Tree, fault: dict[str, Any]) -> None:
    places = [(fault["file"], fault["find"], fault["replace"])]
    places += [(fault.get("also_file", fault["file"]), find, replace) for find, replace in fault.get("also", [])]
    for file, find, replace in places:
        path = tree.project / file
        content = path.read_text(encoding="utf-8")
        assert content.count(find) == 1, f"{file} holds {content.count(find)} times: {find}"
        path.write_text(content.replace(find, replace), encoding="utf-8")


def _bring_to(tree: Tree, start: str) -> str:
    """Repeat the work of the study from ``start`` on; returns all that was printed."""
    printed = ""
    if start in ("init", "load"):
        warehouse = tree.study.warehouse_path.read_bytes()
        shutil.rmtree(tree.study.root)
        shutil.copytree(tree.root / "unloaded", tree.study.root)
        tree.study.warehouse_path.write_bytes(warehouse)
    if start == "init":
        laid_out = tree.root / "laid out"
        done = tree.consonance("init", str(laid_out))
        printed += done.stdout + done.stderr
        if done.returncode:
            return printed
        for store in (tree.study.vault_path, tree.study.key_path):
            shutil.copy(laid_out / store.name, store)
    if start in ("init", "load"):
        done = tree.consonance("load")
        printed += done.stdout + done.stderr
    return printed


def _batches(faults: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Faults of different models together: the checker reports every finding at once.

    What is no model or analysis may change how all of them are read, and stays alone.
    """
    batches: list[list[dict[str, Any]]] = []
    for fault in faults:
        for batch in batches:
            if any(one["file"].startswith(ALONE) for one in (fault, *batch)):
                continue
            if fault["file"] not in {other["file"] for other in batch}:
                batch.append(fault)
                break
        else:
            batches.append([fault])
    return batches


@pytest.mark.parametrize("batch", _batches([fault for fault in FAULTS if fault["guard"] == "wall"]))
def test_faults_in_the_sql_are_each_named_by_the_static_checker(copied: Tree, batch: list[dict[str, Any]]) -> None:
    for fault in batch:
        _plant(copied, fault)
    found = _asked(copied, "wall")
    assert not found["holds"]
    for fault in batch:
        assert any(_is_named(fault, finding) for finding in found["findings"]), fault["fault"]


def _is_named(fault: dict[str, Any], finding: dict[str, Any]) -> bool:
    """Whether a finding lies in what the fault changed, or in what is described there, and names the fault."""
    told = json.dumps(finding, ensure_ascii=False)
    return str(fault["names"]) in told and fault.get("at", fault["file"]) in told


@pytest.mark.parametrize("fault", WITH_DATA, ids=[fault["fault"] for fault in WITH_DATA])
def test_a_planted_fault_is_caught_by_a_guard_that_names_it(copied: Tree, fault: dict[str, Any]) -> None:
    _plant(copied, fault)
    guard, names = fault["guard"], str(fault.get("names", ""))
    start = fault.get("from", "run")
    printed = _bring_to(copied, start)
    if guard in ("init", "load"):
        assert names in " ".join(printed.split())
        return
    if guard == "output":
        assert UNSPEAKABLE.search(printed), "the fault shows"
        assert names in printed
        return
    if guard == "build":
        done = copied.dbt("build", "--select", fault["select"])
        assert done.returncode != 0
        assert names in done.stdout
        return
    if guard == "publish":
        done = copied.run("-c", PUBLISH)
        assert done.returncode != 0
        assert names in done.stderr
        assert not (copied.study.published / "current").exists()
        return
    if start == "run":
        done = copied.dbt("run")
        if guard == "run":
            assert done.returncode != 0
            assert names in " ".join(done.stdout.split())
            return
        assert done.returncode == 0, done.stdout[-3000:]
    if guard in RULES:
        (result,) = run_checkpoint(copied.study, [RULES[guard]])
        assert not result.holds
        assert result.violations
    else:
        found = _asked(copied, guard)
        assert not found["holds"]
        assert names in json.dumps(found, ensure_ascii=False)


def _asked(tree: Tree, guard: str) -> dict[str, Any]:
    done = tree.consonance("check", guard, "--json")
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1])[guard])


def test_without_a_fault_every_guard_holds(copied: Tree) -> None:
    results = run_checkpoint(copied.study)
    assert [result.rule.name for result in results if not result.holds] == []
    for guard in GUARDS:
        found = _asked(copied, guard)
        assert found["holds"], (guard, found)


def test_there_are_enough_faults_and_each_guard_has_one() -> None:
    assert len(FAULTS) >= 40
    assert {fault["guard"] for fault in FAULTS} >= {*GUARDS, "output", "init", "run", "build", "publish"}
