"""``consonance survey``: a map is proposed and never lost, a preview lands nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import SmallStudy

from consonance.cli.commands import cli
from consonance.study.dbt_command import PROJECT
from consonance.study.doctor import examine
from consonance.study.errors import ConsonanceError

DOCS = (PROJECT / "docs" / "questionnaires.md").read_text(encoding="utf-8")


@pytest.fixture
def study(small: SmallStudy) -> SmallStudy:
    """One participant, and the example of Qualtrics in the documentation."""
    small.admit("P1")
    (content,) = re.findall(r"^`surveys/qualtrics.csv`:\n\n```csv\n(.*?)```$", DOCS, re.MULTILINE | re.DOTALL)
    (small.study.surveys / "qualtrics.csv").write_text(content)
    return small


def run(*arguments: str | Path, answer: str | None = None) -> Result:
    return CliRunner().invoke(cli, [str(argument) for argument in arguments], input=answer, catch_exceptions=False)


def test_the_commands_of_the_documentation(study: SmallStudy) -> None:
    (block,) = re.findall(r"^```console\n(consonance survey.*?)```$", DOCS, re.MULTILINE | re.DOTALL)
    results = [
        run(*line.replace("study/", f"{study.root}/").split()[1:], "--study", study.root)
        for line in block.strip().splitlines()
    ]
    assert [result.exit_code for result in results] == [0, 0, 0]
    mapped, previewed, _ = (result.output for result in results)
    assert "IPAddress" in mapped and "198.51.100.7" not in mapped + previewed
    assert re.search(r"^4 +P1 +2025-05-01 11:00:00 +sam +valence +1 of 1 +7 *$", mapped, re.MULTILINE)
    assert re.search(r"^P1 +2 +1 +50% *$", previewed, re.MULTILINE)
    assert study.vault("select item, answer from vault.raw.survey_answers order by item") == [
        ("arousal", 3.0), ("dominance", 5.0), ("valence", 7.0),
    ]  # fmt: skip
    assert study.vault("select status, count(*) from vault.raw.survey_prompts group by status order by status") == [
        ("answered", 1), ("unfinished", 1),
    ]  # fmt: skip


def test_a_map_that_is_there_is_replaced_only_if_somebody_says_so(study: SmallStudy) -> None:
    file, at = study.study.surveys / "qualtrics.csv", study.study.survey_maps / "mine.yml"
    assert run("survey", "map", file, "--study", study.root).exit_code == 0
    proposed = (study.study.survey_maps / "qualtrics.yml").rename(at).read_text()
    at.write_text(proposed + "# mine\n")
    assert "Nothing was written." in run("survey", "map", file, "--study", study.root, answer="n\n").output
    assert at.read_text() == proposed + "# mine\n"
    told = json.loads(run("survey", "map", file, "--replace", "--json", "--study", study.root).output)
    assert (told["map"], told["is_written"]) == (str(at), True)
    assert [at] == list(study.study.survey_maps.iterdir())
    assert at.read_text() == proposed


def test_a_preview_lands_nothing_and_scores_as_the_models_do(study: SmallStudy) -> None:
    (study.study.surveys / "by_hand.csv").write_text(
        "participant_code,answered_at,instrument,item,answer\n"
        + "".join(f"P1,2025-05-01T10:00:00Z,phq_9,item_{number},{number % 4}\n" for number in range(1, 8))
        + "P1,2025-05-01T12:00:00Z,phq_9,item_1,3\nP9,2025-05-01T12:00:00Z,phq_9,item_1,3\n"
    )
    result = run("survey", "preview", study.study.surveys / "by_hand.csv", "--json", "--study", study.root)
    told = json.loads(result.output)
    assert result.exit_code == 2
    assert (told["landed"], told["reasons"], told["doubts"]) == (8, {"not_enrolled": 1}, {"one_item_reports": 1})
    first, second = told["first"]
    # Seven of nine items with the sum 12: two may be missing.
    assert (first["score"], first["items_answered"]) == (pytest.approx(12 / 7 * 9), 7)
    assert (second["score"], second["score_status"]) == (None, "too_many_missing")
    assert study.vault("select count(*) from vault.raw.survey_answers") == [(0,)]


def test_a_file_elsewhere_or_without_times_is_explained(study: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ConsonanceError, match="Copy it there"):
        run("survey", "map", tmp_path / "x.csv", "--study", study.root)
    for content, message in (
        ("a,b\n1,2\n", "says when it was answered|looks like answers"),
        ("", "x.csv cannot be read. It is empty"),
    ):
        (study.study.surveys / "x.csv").write_text(content)
        with pytest.raises(ConsonanceError, match=message):
            run("survey", "map", study.study.surveys / "x.csv", "--study", study.root)


def test_the_doctor_finds_maps_that_cannot_be_used_or_are_for_no_file(study: SmallStudy) -> None:
    study.study.survey_maps.mkdir()
    (study.study.survey_maps / "broken.yml").write_text("files: [")
    assert run("survey", "map", study.study.surveys / "qualtrics.csv", "--study", study.root).exit_code == 0
    (study.study.surveys / "qualtrics.csv").unlink()
    found = {finding.place: finding.what for finding in examine(study.study).findings}
    assert "cannot be read as YAML" in found["surveys/maps/broken.yml"]
    assert found["surveys/maps/qualtrics.yml"] == "This map is for no file of surveys/."
    (report,) = study.load().surveys
    assert (report.file, report.not_read) == ("surveys/maps/broken.yml", "bad_map")
