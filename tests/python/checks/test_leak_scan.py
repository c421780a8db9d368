"""Files beside the stores: a name, a secret or a dangerous setting is found there, and never quoted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import SmallStudy, play

from consonance.checks.leak_scan import scan_for_leaks
from consonance.cli.main import cli
from consonance.study.key import read_key


def _log(text: str) -> Callable[[SmallStudy, Path], None]:
    def write(_: SmallStudy, project: Path) -> None:
        (project / "logs" / "dbt.log").write_text(f"10:00:00 {text}\n", encoding="utf-8")

    return write


def _manifest(change: Callable[[dict[str, dict[str, object]]], object]) -> Callable[[SmallStudy, Path], None]:
    def write(_: SmallStudy, project: Path) -> None:
        manifest: dict[str, dict[str, object]] = {"metadata": {"send_anonymous_usage_stats": False}, "nodes": {}}
        change(manifest)
        (project / "target" / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    return write


def _secret(study: SmallStudy, project: Path) -> None:
    ((secret,),) = study.vault("select play_secret from vault.raw.keyring")
    (project / "target" / "run.sql").write_text(f"select '{secret}'", encoding="utf-8")


def _key(study: SmallStudy, project: Path) -> None:
    (project / "target" / "manifest.json").write_text(
        json.dumps({"metadata": {"send_anonymous_usage_stats": False, "env": read_key(study.study)}, "nodes": {}}),
        encoding="utf-8",
    )


def _site(study: SmallStudy, _: Path) -> None:
    study.study.site.mkdir()
    (study.study.site / "index.html").write_text("<td>PERSON-ONE</td>", encoding="utf-8")


FAULTS: dict[str, tuple[Callable[[SmallStudy, Path], object], str]] = {
    "a user name in a log": (_log("inserted Some-Listener"), "contains a user name"),
    "an e-mail address in a log": (_log("donor jane.doe@mail.example"), "contains an e-mail address"),
    "a secret in compiled SQL": (_secret, "contains a secret of the keyring"),
    "the key in the manifest": (_key, "contains the vault's key"),
    "a participant code on the site": (_site, "contains a participant code"),
    "telemetry": (_manifest(lambda manifest: manifest["metadata"].update(send_anonymous_usage_stats=True)), "telemetry"),
    "failing rows kept": (
        _manifest(lambda manifest: manifest["nodes"].update(t={"resource_type": "test", "name": "t", "config": {"store_failures": True}})),
        "keeps the rows",
    ),
    "a folder others may enter": (lambda study, _: study.root.chmod(0o755), "can be entered"),
}  # fmt: skip


@pytest.fixture
def loaded(small: SmallStudy) -> SmallStudy:
    small.admit("person-one")
    small.donate("person-one", [play()])
    small.load()
    return small


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for folder in ("target", "logs"):
        (tmp_path / "project" / folder).mkdir(parents=True)
    _manifest(lambda manifest: None)(None, tmp_path / "project")  # type: ignore[arg-type]
    return tmp_path / "project"


def test_a_clean_place_passes(loaded: SmallStudy, project: Path) -> None:
    report = scan_for_leaks(loaded.study, project)
    assert report.passed, report.leaks
    assert report.files == 1


@pytest.mark.parametrize("name", FAULTS)
def test_a_leak_is_found_and_not_quoted(loaded: SmallStudy, project: Path, name: str) -> None:
    plant, what = FAULTS[name]
    plant(loaded, project)
    report = scan_for_leaks(loaded.study, project)
    assert not report.passed
    assert any(what in leak.what for leak in report.leaks)
    printed = json.dumps(report.details()).lower().replace(str(project).lower(), "")
    for hidden in ("some-listener", "jane.doe", read_key(loaded.study)):
        assert hidden not in printed


def test_the_names_that_checks_had_in_version_0_1_are_accepted_and_not_listed(loaded: SmallStudy) -> None:
    done = CliRunner().invoke(cli, ["check", "traces", "--json", "--study", str(loaded.root)])
    assert set(json.loads(done.output)) == {"passed", "leaks"}
    listed = CliRunner().invoke(cli, ["check", "--help"]).output
    assert "leaks" in listed and "traces" not in listed
    assert CliRunner().invoke(cli, ["check", "guards"]).exit_code == 2
