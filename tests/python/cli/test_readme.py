"""The README's six steps: from an empty folder with two questionnaires and five zips to the report, as written."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from conftest import EVERYTHING, as_zip, copy_project, play
from survey_files import Beep, moment, mpath, qualtrics

CODES = [f"P{number}" for number in range(1, 6)]
PANAS = (
    "interested", "distressed", "excited", "upset", "strong", "guilty", "scared", "hostile", "enthusiastic", "proud",
    "irritable", "alert", "ashamed", "inspired", "nervous", "determined", "attentive", "jittery", "active", "afraid",
)  # fmt: skip


def steps() -> list[list[str]]:
    """The commands of each step."""
    readme = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    section = readme.split("## A real study in six steps")[1].split("\n## ")[0]
    return [re.findall(r"(?m)^ {7}(\S.*)$", step) for step in re.split(r"(?m)^\d\. ", section)[1:]]


def fill_in(study: Path, step: int) -> None:
    """What the operator does by hand before the commands of step 2 and 3."""
    if step == 2:
        (study / "notice.txt").write_text("What the study is about.\n", encoding="utf-8")
        with (study / "participants.csv").open("a", encoding="utf-8") as people:
            people.writelines(f"{code},1990,female,DE,Europe/Berlin,2025-01-01\n" for code in CODES)
        with (study / "consents.csv").open("a", encoding="utf-8") as consents:
            consents.writelines(
                f"{code},granted,{EVERYTHING} ml_training,v1,2025-01-01T10:00:00+00:00,,\n" for code in CODES
            )
    if step == 3:
        begun = moment("2025-03-03T12:00:00")
        for number, code in enumerate(CODES):
            rows = [
                play(
                    f"{begun + timedelta(days=day, minutes=10 * number + 3 * song):%Y-%m-%dT%H:%M:%SZ}",
                    username=code.lower(),
                    spotify_track_uri=f"spotify:track:{day * 10 + song:022}",
                )
                for day in range(10)
                for song in range(3)
            ]
            as_zip(study / "inbox" / code / "my_spotify_data.zip", {"Streaming_History_Audio_2025.json": rows})
        moods = [
            Beep(
                code,
                begun + timedelta(days=day, minutes=10 * number + 20),
                answered_after=90 if (day + number) % 4 else None,
                answers={"valence": str(1 + (day * 3 + number) % 9), "arousal": str(1 + (day + number) % 9)}
                if (day + number) % 4
                else {},
            )
            for number, code in enumerate(CODES)
            for day in range(10)
        ]
        (study / "surveys" / "mpath.csv").write_text(mpath(moods), encoding="utf-8")
        weekly = [
            Beep(code, begun + timedelta(days=week * 7, hours=8), answers={f"Q1_{n}": str(1 + (n + week) % 5) for n in range(1, 21)})
            for code in CODES
            for week in range(2)
        ]  # fmt: skip
        labels = {f"Q1_{number}": word for number, word in enumerate(PANAS, start=1)}
        (study / "surveys" / "qualtrics.csv").write_text(qualtrics(weekly, labels, "Europe/Berlin"), encoding="utf-8")


def test_the_six_steps_lead_to_the_report(tmp_path: Path) -> None:
    """In a fresh checkout, without a variable or an earlier build; no file that dbt writes there has the key."""
    project = tmp_path / "project"
    copy_project(project)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CONSONANCE", "DBT"))}
    environment |= {"PYTHONPATH": str(project), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    commands = steps()
    assert len(commands) == 6 and all(commands)
    for number, step in enumerate(commands, start=1):
        fill_in(project / "study", number)
        for command in step:
            done = subprocess.run(
                ["bash", "-c", command], cwd=project, env=environment, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    page = (project / "study" / "site" / "report.html").read_text(encoding="utf-8")
    assert "<h1" in page and "<script" not in page
    assert not any(code in page for code in CODES)
    key = (project / "study" / "vault.key").read_bytes().strip()
    written = [path for folder in ("target", "logs") for path in (project / folder).rglob("*") if path.is_file()]
    assert any(path.name == "dbt.log" for path in written)
    assert not [path for path in written if key in path.read_bytes()]
