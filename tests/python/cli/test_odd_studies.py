"""The smallest and oddest studies: each command says in a sentence what it found, or what is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from conftest import EVERYTHING, SmallStudy, lay_out_small, play
from forks import Forks

from consonance.study.dbt_command import PROJECT

PEOPLE = {"nobody": [], "one": ["1"]}
SHAPES = ("not loaded", "not built", "nobody", "one", "no plays", "no reports", "reports alone", "alike")
COMMANDS = {
    "check": ["check", "rules", "non-interference"],
    "attack": ["attack"],
    "site": ["site"],
    "controlled": ["publish", "--tier", "controlled"],
    "public": ["publish", "--tier", "public"],
    "doctor": ["doctor"],
    "status": ["consent", "status"],
    "fetch": ["catalog", "fetch", "reccobeats"],
    "load": ["load"],
    "withdraw": ["withdraw", "99"],
}
# Commands that take long, and the studies in which they see nothing that they do not see in another.
AS_FULL_ELSEWHERE = {
    "site": ("one", "no plays", "no reports", "alike"),
    "check": ("no plays", "no reports"),
    "controlled": ("no plays", "no reports"),
}
FAILED = "Error:"
# What is said, by command, and by shape where it differs; and the exit status.
FEW = (1, "Nothing was published")
SAID: dict[str, dict[str, tuple[int, str]]] = {
    "check": {
        "not loaded": (1, "has no warehouse yet. Run 'dbt run' first."),
        "not built": (1, "has no warehouse yet. Run 'dbt run' first."),
        "alike": (1, "A7"),
        "": (0, "rows compared"),
    },
    "attack": {
        "not loaded": (1, "Run 'dbt run' first."),
        "not built": (1, "Run 'dbt run' first."),
        "nobody": (0, "The marts have no participants: there is nothing to attack."),
        "no plays": (0, "the marts have no data for it"),
        "": (0, "smallest cell of persons"),
    },
    "site": {
        "not loaded": (1, "Run 'dbt run' first: each complete run writes it."),
        "not built": (1, "Run 'dbt run' first: each complete run writes it."),
        "": (0, "The site is at"),
    },
    "controlled": {
        "not loaded": (1, "Run 'dbt run' first."),
        "not built": (1, "Run 'dbt run' first."),
        "nobody": (1, "Nobody grants sharing_controlled"),
        "": FEW,
    },
    "public": {
        "not loaded": (1, "Run 'dbt run' first."),
        "not built": (1, "Run 'dbt run' first."),
        "": (1, "Nobody grants sharing_public"),
    },
    "doctor": {
        "not loaded": (1, "Run 'consonance load' first."),
        "not built": (0, "There is no warehouse"),
        "alike": (1, "share a listening history"),
        "": (0, "Nothing is wrong"),
    },
    "status": {
        "not loaded": (1, "Run 'consonance load' first."),
        "nobody": (0, "consents.csv and participants.csv list no participant."),
        "not built": (0, "active"),
        "": (0, "active"),
    },
    "fetch": {
        "not loaded": (1, "Run 'dbt run' first."),
        "not built": (1, "Run 'dbt run' first."),
        "nobody": (0, "No track is missing"),
        "no plays": (0, "No track is missing"),
        "reports alone": (0, "No track is missing"),
        "": (2, "Nothing was sent."),
    },
    "load": {"alike": (2, "share a listening history"), "": (0, "landed + 0 rejected")},
    "withdraw": {"": (1, FAILED)},
}


def lay_out(root: Path, shape: str) -> SmallStudy:
    made = lay_out_small(root)
    codes = PEOPLE.get(shape, ["21", "22", "23"])
    for number, code in enumerate(codes):
        made.admit(code, purposes=f"{EVERYTHING} library sharing_controlled")
        hour = 10 if shape == "alike" else 10 + number
        if shape not in ("no plays", "reports alone"):
            made.donate(code, [play(f"2023-05-01T{hour}:{minute}:00Z", username=f"u{hour}") for minute in (10, 20)])
    if shape in ("reports alone", "alike", "one"):
        lines = ["participant_code,answered_at,instrument,item,answer"]
        lines += [
            f"{code},2023-05-02T12:00:00Z,affect_grid,{item},5" for code in codes for item in ("valence", "arousal")
        ]
        (made.study.surveys / "grid.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if shape != "not loaded":
        made.load()
    if shape not in ("not loaded", "not built"):
        made.dbt("run")
    return made


@pytest.fixture(scope="module", params=SHAPES)
def odd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, SmallStudy]:
    return request.param, lay_out(tmp_path_factory.mktemp("odd") / "study", request.param)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_says_what_it_found_or_what_is_missing(
    odd: tuple[str, SmallStudy], command: str, forks: Forks, artifacts_apart: None
) -> None:
    shape, study = odd
    if shape in AS_FULL_ELSEWHERE.get(command, ()):
        pytest.skip("the command is slow, and sees tables that are as full in another study")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CONSONANCE")}
    environment |= {"CONSONANCE_STUDY": str(study.root), "PYTHONPATH": str(PROJECT), "COLUMNS": "200"}
    done = forks.run(["from consonance.cli.main import main; main()", *COMMANDS[command]], PROJECT, environment)
    said = " ".join((done.stdout + done.stderr).split())
    status, sentence = SAID[command].get(shape, SAID[command].get("", (0, "")))
    assert sentence in said and done.returncode == status, (done.returncode, said[-600:])
    assert "Traceback" not in said and "DuckDB could not run" not in said
