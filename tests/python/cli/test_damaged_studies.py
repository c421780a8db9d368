"""Whatever is wrong with the invocation or the study folder: an exit status, and a sentence that quotes nobody."""

from __future__ import annotations

import json
import random
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from conftest import lay_out_small, play
from damages import CONTENT, CONTENTS, INVOCATIONS, SETTINGS, WRONG, damage
from report_marts import Shape, make

from consonance.cli.errors import explain
from consonance.cli.main import main, status_of
from consonance.study import dbt_command, dbt_plugin
from consonance.study.files import replace_file
from consonance.study.folder import Study
from consonance.study.settings import BadSettings, Settings
from consonance.study.store_errors import StoreError

# How messages of Python and DuckDB begin. What DuckDB says of an analyst's own query is passed on.
RAW = re.compile(
    r"Traceback|\[Errno|did not foresee|DuckDB could not run|\b(?:IO|Catalog|Binder|Conversion|Parser|Invalid Input|Internal) Error"
)
# These let Great Expectations or attacks run, or dbt: some seconds each.
TAKES_LONG = ("check", "site", "attack", "publish", "report", "demo")
QUICK, ALL = 30, 300


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three people, loaded, with marts of others."""
    made = lay_out_small(tmp_path_factory.mktemp("template") / "study")
    for number, code in enumerate(("P1", "P2", "P3"), start=1):
        made.admit(code)
        made.donate(
            code, [play(f"2023-05-0{number}T10:{m:02d}:00Z", master_metadata_track_name=CONTENT) for m in range(9)]
        )
    (made.study.surveys / "answers.csv").write_text(
        "participant_code,answered_at,instrument,item,answer\n"
        "P1,2023-05-03T10:30:00+00:00,affect_grid,valence,5\nP1,2023-05-03T10:30:00+00:00,affect_grid,arousal,6\n"
    )
    assert made.load().exit_status == 0
    make(made.study.warehouse_path, Shape(persons=3, days=1))
    shutil.copy(made.study.warehouse_path, made.study.desk_path)
    return made.root


@pytest.fixture(autouse=True)
def _dbt_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[Any], **_: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "")

    monkeypatch.setattr(dbt_command, "subprocess", SimpleNamespace(run=run, DEVNULL=subprocess.DEVNULL))


@pytest.mark.parametrize(
    "cases",
    [pytest.param(QUICK, id="quick"), pytest.param(ALL, id="all", marks=[pytest.mark.slow, pytest.mark.thorough])],
)
def test_every_end_is_a_status_and_a_sentence(
    cases: int, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    statuses = set()
    for seed in range(cases):
        chance = random.Random(seed)
        place = tmp_path / str(seed)
        study, file = place / "study", place / "file.csv"
        shutil.copytree(template, study)
        file.write_bytes(CONTENTS[chance.choice(list(CONTENTS))])
        done = damage(study, chance, many=chance.choice((0, 1, 1, 1, 2, 3)))
        offered = [one for one in INVOCATIONS if cases > QUICK or not one.startswith(TAKES_LONG)]
        line = chance.choice(offered if done and chance.random() < 0.9 else WRONG)
        monkeypatch.setenv("CONSONANCE_STUDY", str(study))
        with pytest.raises(SystemExit) as ended:
            main([word.format(study=study, tmp=place, file=file) for word in shlex.split(line)])
        said = capsys.readouterr()
        case = f"seed {seed}: consonance {line}, {done}: {ended.value.code}\n{said.out}\n{said.err}"
        statuses.add(ended.value.code)
        assert ended.value.code in (0, 1, 2), case
        assert CONTENT not in said.out + said.err, case
        assert line.startswith("sql") or not RAW.search(said.out + said.err), case
        if ended.value.code:
            assert (said.out + said.err).strip(), case
        if ended.value.code == 1 and "--json" not in line and not line.startswith(("check", "doctor", "audit")):
            assert "Error:" in said.err, case
        if "--json" in line.split():
            json.loads(said.out)
        shutil.rmtree(place)
    assert statuses == {0, 1, 2}


def test_an_error_of_the_program_is_told_from_one_of_its_user(capsys: pytest.CaptureFixture[str]) -> None:
    """What the test above looks for can be there."""

    def broken() -> None:
        raise KeyError(CONTENT)

    assert status_of(broken) == 1
    assert RAW.search(said := capsys.readouterr().err) and CONTENT not in said
    assert (
        explain(KeyError(CONTENT)).is_unforeseen
        and not explain(FileNotFoundError(2, "No such file", "x.csv")).is_unforeseen
    )


def test_an_error_is_json_where_json_is_wanted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, status in ((["load", "--json", "--study", str(tmp_path)], 1), (["load", "--json", "--colour"], 2)):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        said = capsys.readouterr()
        assert ended.value.code == status and not said.err
        assert json.loads(said.out).keys() == {"error", "remedy"}


def test_an_interrupted_command_ends_with_130_and_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None  # as DuckDB does

    assert status_of(interrupted) == 130
    assert capsys.readouterr().err.startswith("Interrupted.")


def test_dbt_says_which_store_is_damaged_and_shows_no_traceback(tmp_path: Path) -> None:
    (path := tmp_path / "warehouse.duckdb").write_bytes(CONTENTS["binary"])
    with pytest.raises(StoreError, match=r"warehouse\.duckdb cannot be opened: it is damaged.*'dbt run'"):
        dbt_plugin._opened(path, {})
    for is_logged, remedy in ((True, "see logs/dbt.log"), (False, "run 'dbt run', and see logs/dbt.log")):
        failed = dbt_command.DbtFailed("run", f"Traceback (most recent call last):\n{CONTENT}", is_logged)
        assert not explain(failed).output and explain(failed).remedy.endswith(f": {remedy}.")
    assert explain(dbt_command.DbtFailed("run", "1 of 2 ERROR", is_logged=False)).output == "1 of 2 ERROR"


def test_a_file_that_cannot_be_written_leaves_nothing_and_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder := tmp_path / "here").mkdir()
    for target, why in ((folder, "is a directory"), (tmp_path / "nowhere" / "x.csv", "no such file or directory")):
        assert status_of(lambda target=target: replace_file(target, b"x")) == 1  # type: ignore[misc]
        assert f"Error: {target} cannot be used: {why}." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.CatalogException('Catalog Error: Table with name "marts.plays" does not exist'), "lacks the table marts.plays"),
        (duckdb.BinderException(f"Binder Error: column {CONTENT} not found"), "lacks the table or column that the command reads"),
        (duckdb.IOException('IO Error: Could not read enough bytes from file "s/warehouse.duckdb"'), "s/warehouse.duckdb cannot be read: it is damaged"),
        (duckdb.InvalidInputException("Computed AES tag differs from read AES tag"), "vault.duckdb cannot be read: it is damaged"),
        (duckdb.IOException('Could not write file "s/vault.duckdb": No space left on device'), "s/vault.duckdb cannot be written: the disk is full"),
    ],
)  # fmt: skip
def test_what_duckdb_says_of_a_store_becomes_a_sentence(error: duckdb.Error, said: str) -> None:
    explained = explain(error)
    assert said in explained.what and explained.remedy and not explained.is_unforeseen
    assert CONTENT not in explained.what
    assert explain(duckdb.ConversionException(CONTENT)).is_unforeseen


def test_settings_are_read_or_refused_with_a_sentence(tmp_path: Path) -> None:
    study = Study(tmp_path)
    refused = 0
    for text in SETTINGS:
        study.settings_path.write_text(text, encoding="utf-8", errors="surrogatepass")
        try:
            Settings.read(study)
        except BadSettings as error:
            refused += bool(error.what and error.remedy)
    assert refused > 20
