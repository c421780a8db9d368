"""docs/permissions.md: what it shows is done, and what it says of the sources is what the seed says."""

from __future__ import annotations

import csv
import io
import re

from commands import consonance
from conftest import SmallStudy, play

from consonance.study.dbt_command import PROJECT
from consonance.study.feature_sources import feature_sources

PAGE = (PROJECT / "docs" / "permissions.md").read_text(encoding="utf-8")


def shown(language: str) -> list[str]:
    """The blocks of the page in a language, in their order."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_a_permission_is_recorded_as_the_page_shows(small: SmallStudy) -> None:
    (entry,), (query,), (said, rows) = shown("yaml"), shown("sql"), shown("text")
    small.admit("P1")
    small.donate("P1", [play()])
    with small.study.settings_path.open("a", encoding="utf-8") as file:
        file.write(entry)
    small.load()
    small.dbt("run")
    done = consonance("catalog", "status", "--study", small.root)
    assert done.returncode == 0, done.stderr
    assert said.strip() in done.stdout
    found = io.StringIO()
    writer = csv.writer(found, lineterminator="\n")
    for row in small.warehouse(query):
        writer.writerow(["" if value is None else str(value).lower() for value in row])
    assert found.getvalue() == rows


def test_the_page_says_of_each_source_what_the_seed_says() -> None:
    table = {}
    for line in PAGE.split("## ")[1].splitlines():
        if line.startswith("| `"):
            names, _, train, pass_on, *_ = [cell.strip() for cell in line.strip("|").split("|")]
            for name in re.findall(r"`(\w+)`", names):
                table[name] = (train == "yes", pass_on.startswith("yes"))
    assert table == {
        source.source_id: (source.may_train_models, source.may_redistribute) for source in feature_sources().values()
    }


def test_the_scraped_catalogue_is_refused_by_name() -> None:
    words = " ".join(PAGE.split())
    assert "Anna's Archive" in words
    assert "ships no adapter" in words
    assert not [source for source in feature_sources() if "anna" in source]
