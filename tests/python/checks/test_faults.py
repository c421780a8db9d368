"""Planted faults: each is a small patch of the project, applied to a copy, and found by the check that it names.

``tests/faults/*.yml`` lists them. The tree without a fault passes every check. Faults that each have a
finding of their own are planted together; only what they change is built again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from conftest import as_zip, play
from forks import DBT, Forks

from consonance.checks.lineage.policy import COMPILE
from consonance.checks.rules import all_rules
from consonance.study.dbt_command import PROJECT
from consonance.study.folder import STUDY_VARIABLE, Study
from consonance.study.vault import attach_study, session_settings
from consonance.synthetic.study import make_study

FAULTS: list[dict[str, Any]] = [
    fault
    for path in sorted((PROJECT / "tests" / "faults").glob("*.yml"))
    for fault in yaml.safe_load(path.read_text(encoding="utf-8"))
]
# One report of these checks names every fault. Those of "release" are planted by release/test_release.py.
TOGETHER = ("wall", "non-interference", "leaks", "publish", "release", "rules")
PROJECT_PARTS = (
    "consonance", "loaders", "models", "macros", "functions", "seeds", "analyses", "tests/sql",
    "docs", "dbt_project.yml", "profiles.yml", "selectors.yml",
)  # fmt: skip
# What identifies people in the base study; no command may print it.
UNSPEAKABLE = re.compile(r"listener-\d+-q7x|198\.51\.100\.|mail\.example", re.IGNORECASE)
# Other faults try the checks of the study.
PUBLISH = (
    "import sys; from consonance.release.publish import publish; from consonance.study.folder import Study;"
    "publish(Study.find(), sys.argv[1], on_study=())"
)
# What `consonance check wall` does once dbt has compiled.
READ_WALL = (
    "import json; from consonance.checks.lineage.policy import PROJECT, Project, Reviews, check_project, target_folder;"
    "print(json.dumps(check_project(Project.read(PROJECT, target_folder()), Reviews.read()).details()))"
)
# What `consonance check rules` does, with the rules that are named alone.
READ_RULES = (
    "import json, sys; from consonance.checks.rules import all_rules; from consonance.checks.study_checks import run_rules;"
    "from consonance.study.folder import Study;"
    "rules = [rule for rule in all_rules() if rule.name in sys.argv[1:]];"
    "print(json.dumps([result.as_json() for result in run_rules(Study.find(), rules)]))"
)
CHECKS = ("wall", "non-interference", "leaks")
# What a load leaves behind: one load shows every fault of it.
OF_A_LOAD = (
    "leaks", "A5_drift_keeps_no_values", "A5_rejected_rows_keep_listed_fields", "A6_rows_have_their_purpose",
    "A10_words_are_on_their_list", "A11_consent_is_judged_at_as_of",
)  # fmt: skip
# What a fault finds in a file that is not there.
NEW = "a new file"
RULES = {rule.name for rule in all_rules()}


@dataclass(frozen=True)
class Tree:
    """A copy of the project and a study beside it."""

    root: Path
    forks: Forks

    @property
    def project(self) -> Path:
        return self.root / "project"

    @property
    def study(self) -> Study:
        return Study(self.root / "study")

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run Python code, with arguments, in the copy: its modules come before those that are installed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DBT")}
        environment |= {STUDY_VARIABLE: str(self.study.root), "PYTHONPATH": str(self.project)}
        return self.forks.run(command, self.project, environment)

    def dbt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run(DBT, "--no-use-colors", *arguments)

    def consonance(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run("from consonance.cli.main import main; main()", *arguments)


def _copy_project(place: Path) -> None:
    for part in PROJECT_PARTS:
        source, target = PROJECT / part, place / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)


def _donate_canaries(study: Study) -> None:
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
        play("at noon", 65_000),  # is rejected
    ]
    # Under the user name of the other donations: this is no second account.
    canaries = [row | {"username": "listener-024-q7x"} for row in canaries]
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
                (9004, 'D011', 'withdrawn', [], 'v1', '2027-01-01', null, null),
                -- The vault still has a country that this participant no longer grants.
                (9005, 'D008', 'granted', ['listening_history', 'demographics'], 'v1', '2019-01-01', null, null),
                (9003, 'D006', 'amended', ['listening_history', 'podcasts_audiobooks', 'private_sessions', 'demographics'], 'v1', '2027-01-01', null, null);
            update vault.raw.participants set country = 'DE' where participant_code = 'D008';
            update vault.raw.applied_consents set purposes = list_append(purposes, 'demographics')
            where participant_no = (select participant_no from vault.raw.keyring where participant_code = 'D008');
            """
        )


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory, forks: Forks) -> Tree:
    """The project as it is, with a study loaded and built; ``unloaded`` beside it is the study before loading."""
    tree = Tree(tmp_path_factory.mktemp("base") / "copied", forks)
    _copy_project(tree.project)
    make_study(tree.study.root, seed=5, people=26, plays=9_000)
    _donate_canaries(tree.study)
    shutil.copytree(tree.study.root, tree.root / "unloaded")
    loaded = tree.consonance("load", "--json")
    assert loaded.returncode == 2, loaded.stderr
    assert not UNSPEAKABLE.search(loaded.stdout + loaded.stderr)
    _change_minds(tree.study)
    done = tree.dbt("run")
    assert done.returncode == 0, done.stdout[-3000:]
    shutil.rmtree(tree.project / "logs")
    for compiled in ("compiled", "run"):
        shutil.rmtree(tree.project / "target" / compiled)
    kept = Tree(tree.root.with_name("kept"), forks)
    tree.root.rename(kept.root)
    return kept


@pytest.fixture
def copied(base: Tree) -> Tree:
    """A fresh copy, always in the same place: there dbt parses only what a fault has changed."""
    tree = Tree(base.root.with_name("copied"), base.forks)
    shutil.rmtree(tree.root, ignore_errors=True)
    shutil.copytree(base.root, tree.root, copy_function=shutil.copy2)
    return tree


def _plant(tree: Tree, fault: dict[str, Any]) -> None:
    places = [(fault["file"], fault["find"], fault["replace"])]
    places += [(fault.get("also_file", fault["file"]), find, replace) for find, replace in fault.get("also", [])]
    for file, find, replace in places:
        path = tree.project / file
        if find == NEW:
            assert not path.exists(), f"{file} is there already"
            path.write_text(replace, encoding="utf-8")
            continue
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


def _batches(*checks: str, start: str = "run") -> list[Any]:
    """The faults of these checks from ``start`` on, together as far as each has a finding and a place of its own.

    One that is ``alone`` hides what others do. Others would be hidden, but for those of the same ``batch``. Batches whose
    findings are all those of earlier ones repeat them, and some say which other test they repeat.
    """
    batches: list[list[dict[str, Any]]] = []
    for fault in FAULTS:
        named = fault["check"] if start == "load" else _kind(fault)
        if named not in checks or fault.get("from", "run") != start:
            continue
        for batch in batches:
            if all(_are_apart(fault, one) for one in batch):
                batch.append(fault)
                break
        else:
            batches.append([fault])
    seen: set[tuple[str, str, str]] = set()
    cases = []
    for batch in batches:
        findings = set(map(_finding, batch))
        is_repeated = findings <= seen or all("repeats" in fault for fault in batch)
        marks = [pytest.mark.thorough] if is_repeated else []
        cases.append(pytest.param(batch, id="; ".join(fault["fault"] for fault in batch), marks=marks))
        seen |= findings
    return cases


def _kind(fault: dict[str, Any]) -> str:
    """The check that finds a fault; "rules", if it is a rule and says what in its finding names the fault."""
    return "rules" if fault["check"] in RULES and "names" in fault else str(fault["check"])


def _are_apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    same_place = one["file"] == other["file"] and (one["find"] in other["find"] or other["find"] in one["find"])
    return not (
        one.get("alone")
        or other.get("alone")
        or one.get("batch") != other.get("batch")
        or _finding(one) == _finding(other)
        or same_place
    )


def _finding(fault: dict[str, Any]) -> tuple[str, str, str]:
    return fault["check"], fault.get("names", ""), fault.get("at", "")


def _rebuilt(faults: list[dict[str, Any]]) -> list[str]:
    """What of the warehouse dbt shall run again: the models that changed and all that read them, else everything."""
    files = [Path(file) for fault in faults for file in (fault["file"], fault.get("also_file", fault["file"]))]
    if all(file.suffix == ".sql" and file.parts[0] in ("models", "functions") for file in files):
        return ["--select", *{f"{file.stem}+" for file in files}]
    return []


def _is_named(fault: dict[str, Any], finding: dict[str, Any]) -> bool:
    """Whether a finding names the fault, and the place if it says one."""
    return fault["names"] in finding["what"] and fault.get("at", "") in json.dumps(finding)


@pytest.mark.parametrize("batch", _batches("wall"))
def test_faults_in_the_sql_are_each_named_by_the_static_checker(copied: Tree, batch: list[dict[str, Any]]) -> None:
    for fault in batch:
        _plant(copied, fault)
    done = copied.dbt(*COMPILE)
    assert done.returncode == 0, done.stdout[-3000:]
    found = json.loads(copied.run(READ_WALL).stdout)
    for fault in batch:
        assert any(_is_named(fault, finding) for finding in found["findings"]), fault["fault"]


@pytest.mark.parametrize("batch", _batches("non-interference"))
def test_what_depends_on_who_people_are_is_named_by_the_paired_rebuild(
    copied: Tree, batch: list[dict[str, Any]]
) -> None:
    for fault in batch:
        _plant(copied, fault)
    done = copied.dbt("run", *_rebuilt(batch))
    assert done.returncode == 0, done.stdout[-3000:]
    found = _checked(copied, "non-interference")
    assert not found["passed"]
    assert not [
        fault["fault"]
        for fault in batch
        if not any(_is_named(fault, difference) for difference in found["differences"])
    ]


@pytest.mark.parametrize("batch", _batches("rules"))
def test_faults_in_the_data_are_each_named_by_a_rule_with_the_file_to_look_at(
    copied: Tree, batch: list[dict[str, Any]]
) -> None:
    for fault in batch:
        _plant(copied, fault)
    done = copied.dbt("run", "--no-write-json", *_rebuilt(batch))
    assert done.returncode == 0, done.stdout[-3000:]
    found = {result["rule"]: result for result in _rules(copied, *{fault["check"] for fault in batch})}
    for fault in batch:
        findings = found[fault["check"]]["findings"]
        assert any(_is_named(fault, finding) and finding["line"] for finding in findings), (fault["fault"], findings)


@pytest.mark.parametrize("batch", _batches("leaks"))
def test_leaks_are_each_named(copied: Tree, batch: list[dict[str, Any]]) -> None:
    for fault in batch:
        _plant(copied, fault)
    done = copied.dbt("run", "--select", "stg_study")
    assert done.returncode == 0, done.stdout[-3000:]
    found = _checked(copied, "leaks")
    assert not found["passed"]
    for fault in batch:
        assert any(_is_named(fault, leak) for leak in found["leaks"]), fault["fault"]


@pytest.mark.parametrize("batch", _batches(*OF_A_LOAD, start="load"))
def test_what_a_load_leaves_is_each_named(copied: Tree, batch: list[dict[str, Any]]) -> None:
    for fault in batch:
        _plant(copied, fault)
    _bring_to(copied, "load")
    leaks = _checked(copied, "leaks")["leaks"]
    results = {one["rule"]: one for one in _rules(copied, *{fault["check"] for fault in batch} & RULES)}
    for fault in batch:
        findings = results[fault["check"]]["findings"] if fault["check"] in RULES else leaks
        assert findings, fault["fault"]
        assert "names" not in fault or any(_is_named(fault, one) for one in findings), (fault["fault"], findings)


@pytest.mark.parametrize("batch", _batches("publish"))
def test_a_faulty_release_is_refused_by_the_rules_it_breaks(copied: Tree, batch: list[dict[str, Any]]) -> None:
    for fault in batch:
        _plant(copied, fault)
    done = copied.run(PUBLISH, batch[0].get("tier", "controlled"))
    assert done.returncode != 0
    for fault in batch:
        assert fault["names"] in done.stderr, fault["fault"]
    assert not (copied.study.published / "current").exists()


@pytest.mark.parametrize("batch", _batches(*RULES))
def test_each_rule_counts_what_a_fault_lets_pass(copied: Tree, batch: list[dict[str, Any]]) -> None:
    for fault in batch:
        _plant(copied, fault)
    done = copied.dbt("run", "--no-write-json", *_rebuilt(batch))
    assert done.returncode == 0, done.stdout[-3000:]
    results = _rules(copied, *{fault["check"] for fault in batch})
    assert all(result["violations"] for result in results), [one["rule"] for one in results if one["passed"]]


def _alone() -> Iterator[Any]:
    """Faults that are planted alone. Where others share their rebuild, this proves that none hides another."""
    for fault in FAULTS:
        start = fault.get("from", "run")
        shares = fault["check"] in RULES and start == "run"
        if (_kind(fault) not in TOGETHER or start != "run") and not (fault["check"] in OF_A_LOAD and start == "load"):
            marks = [pytest.mark.thorough] if shares else []
            yield pytest.param(fault, id=f"{fault['fault']} ({fault['check']})", marks=marks)


@pytest.mark.parametrize("fault", _alone())
def test_a_planted_fault_is_found_by_a_check_that_names_it(copied: Tree, fault: dict[str, Any]) -> None:
    _plant(copied, fault)
    check, names = fault["check"], str(fault.get("names", ""))
    start = fault.get("from", "run")
    printed = _bring_to(copied, start)
    if check in ("init", "load"):
        assert names in " ".join(printed.split())
        return
    if check == "output":
        assert UNSPEAKABLE.search(printed), "the fault shows"
        assert names in printed
        return
    if check == "build":
        done = copied.dbt("build", "--select", fault["select"])
        assert done.returncode != 0
        assert names in done.stdout
        return
    if start == "run":
        done = copied.dbt("run", "--no-write-json", *_rebuilt([fault]))
        if check == "run":
            assert done.returncode != 0
            assert names in " ".join(done.stdout.split())
            return
        assert done.returncode == 0, done.stdout[-3000:]
    if check in RULES:
        (result,) = _rules(copied, check)
        assert not result["passed"]
        assert result["violations"]
    else:
        found = _checked(copied, check)
        assert not found["passed"]
        assert names in json.dumps(found, ensure_ascii=False)


def _rules(tree: Tree, *names: str) -> list[dict[str, Any]]:
    done = tree.run(READ_RULES, *names)
    assert done.returncode == 0, done.stderr[-2000:]
    return list(json.loads(done.stdout.splitlines()[-1]))


def _checked(tree: Tree, check: str) -> dict[str, Any]:
    done = tree.consonance("check", check, "--json")
    assert done.returncode in (0, 1), done.stderr[-2000:]
    return dict(json.loads(done.stdout.splitlines()[-1])[check])


def test_without_a_fault_every_check_passes(copied: Tree) -> None:
    results = json.loads(copied.consonance("check", "--json").stdout.splitlines()[-1])
    assert results.pop("passed")
    assert results["wall"]["unresolved"] == 0
    assert {name for name, found in results.items() if found["passed"]} == {"rules", *CHECKS}, results


def test_there_are_enough_faults_and_each_check_has_one() -> None:
    assert len(FAULTS) >= 40
    assert {fault["check"] for fault in FAULTS} >= {*CHECKS, "output", "init", "run", "build", "publish"}
