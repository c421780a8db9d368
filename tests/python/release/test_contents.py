"""The list of what is in a release, and what its certificate says of the checks."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from consonance.checks.check import CheckResult, listed
from consonance.checks.leaks.pages import ABSOLUTE_PATH
from consonance.release import certificate
from consonance.release import parameters as thresholds
from consonance.release.certified import Certificate, not_certified
from consonance.release.columns import Column
from consonance.release.contents import controlled_tables, public_tables, tables_of
from consonance.release.contents_check import _lists
from consonance.release.kinds import TOTALS, _counts_persons
from consonance.release.parameters import WEAKEST, WeakThreshold, strict_enough, weak_thresholds
from consonance.release.proofs import what_checks_prove
from consonance.release.release_checks import ON_FILES, ON_RELEASE, ON_STUDY
from consonance.study.dbt_command import PROJECT

# What a certificate of the public tier says, shortened.
PUBLIC: dict[str, Any] = {
    "release": 1,
    "tier": "public",
    "study": "A study of 12 people",
    "as_of": "2026-03-01T00:00:00Z",
    "created": "2026-03-01T10:00:00Z",
    "consent": {"purpose": "sharing_public", "persons": 96, "left_out": None, "purposes_of_those_in": None},
    "statements": ["Every cell has more than 20 persons."],
    "demographics": None,
    "checks": [{"name": "none", "passed": True, "summary": "40 rules.", "proves": None, "does_not_prove": None}],
    "risk": None,
    "tables": [{"schema": "marts", "name": "population", "rows": 1}],
    "features_passed_on": ["synthetic"],
    "feature_sources": [],
    "expired_permissions": [],
    "parameters": {"small_group_persons": 20, "withheld_at_most": 0.05, "audio_features": ["tempo"]},
    "software": {"duckdb": "1.5.5"},
    "files": {"codebook.csv": {"bytes": 7, "sha256": "0" * 64}},
}
CONSENT = PUBLIC["consent"]
CHECK = PUBLIC["checks"][0]
KINDS = {"ids", "times", "words", "facts", "numbers", "totals", "seed", "figures"}


def test_the_list_has_every_column_of_the_marts_once() -> None:
    """Who adds a column decides: it gets a kind in controlled_tables.yml, or it is named here with the reason."""
    not_released: set[str] = set()
    models = yaml.safe_load((PROJECT / "models" / "marts" / "_marts__models.yml").read_text(encoding="utf-8"))["models"]
    marts = {f"marts.{model['name']}.{column['name']}" for model in models for column in model["columns"]}
    of_list = {f"{table}.{column}" for table, columns in controlled_tables().items() for column in columns}
    assert {place for place in of_list if place.startswith("marts.")} == marts - not_released
    kinds = yaml.safe_load((PROJECT / "consonance" / "release" / "controlled_tables.yml").read_text(encoding="utf-8"))
    assert {kind for table in kinds.values() for kind in table} == KINDS
    every = [f"{table}.{column}" for table, of in kinds.items() for columns in of.values() for column in columns]
    assert len(every) == len(set(every))
    assert {
        place for place in every if place.rpartition(".")[2] in kinds[place.rpartition(".")[0]].get("totals", [])
    } == set(TOTALS)


def test_public_tables_have_cells_persons_and_means_alone() -> None:
    for table in public_tables():
        assert list(table.columns) == [*table.cell, "persons", *table.means]
        assert table.means_over in ("cell", "everyone")
        assert bool(table.series) == bool(table.cell)
    assert set(tables_of("public")) == {f"marts.{table.name}" for table in public_tables()} | {
        "reference.feature_sources"
    }


def test_the_certificate_says_what_each_check_proves_and_nothing_of_its_findings() -> None:
    proofs = what_checks_prove()
    for check in (*ON_STUDY, *ON_RELEASE, *ON_FILES):
        assert proofs[check.name].proves and proofs[check.name].does_not_prove, check.name
    relation = {"name": "birth years", "what": "Birth years within their band make no difference.", "passed": True}
    details = {"relations": [relation], "differences": ["D001"], "known_by_path": {"D001": 1}}
    said = certificate._certified(CheckResult("non-interference", True, "Passed.", details))
    assert set(said) == {"name", "passed", "summary", "proves", "does_not_prove", "relations"}
    page = certificate.render(
        certificate.PAGE,
        checks=[said],
        consent={"persons": 7, "left_out": None},
        files={},
        features_passed_on=[],
        software={},
        parameters={},
    )
    assert relation["what"] in page and "What these checks prove, and what they do not" in page


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ('"study": "/home/ann/study"', True),
        ("made in /Users/ann/study", True),
        ("C:\\\\Users\\\\ann", True),
        ("<td>and/or</td>", False),
        ("https://example.org/home/ann", False),
        ("docs/permissions.md", False),
    ],
)
def test_absolute_paths_are_recognised(text: str, is_path: bool) -> None:
    assert bool(re.search(ABSOLUTE_PATH, text)) is is_path


def test_the_first_findings_are_listed() -> None:
    assert listed(["the file a is missing"]) == "the file a is missing."
    assert listed(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more."


def test_a_certificate_says_what_is_on_the_list() -> None:
    assert list(not_certified(Certificate, PUBLIC, "public")) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"left_out": 3}, "left_out is not on the list"),
        ({"consent": CONSENT | {"disagreeing": 40}}, "consent.disagreeing is not on the list"),
        ({"consent": CONSENT | {"left_out": {"no active consent": 40}}}, "consent.left_out is not for the public tier"),
        (
            {"consent": CONSENT | {"purposes_of_those_in": {}}},
            "consent.purposes_of_those_in is not for the public tier",
        ),
        ({"consent": CONSENT | {"persons": 20}}, "consent.persons counts a small group"),
        ({"consent": CONSENT | {"persons": "ninety"}}, "consent.persons is of another kind"),
        ({"statements": ["12 persons did not agree."]}, "statements counts a small group"),
        ({"checks": [CHECK | {"summary": "Passed, without 1 participant."}]}, "checks.summary counts a small group"),
        ({"checks": [CHECK | {"proves": "Everything."}]}, "checks proves something else than docs/privacy.md says"),
        ({"checks": [CHECK | {"persons": []}]}, "checks.persons is not on the list"),
        ({"risk": []}, "risk is not for the public tier"),
        ({"files": {"x": {"bytes": 1, "sha256": "D001"}}}, "files.x.… is of another kind"),
        ({"D001, D002": 1}, "… is not on the list"),
    ],
)
def test_a_certificate_that_says_more_is_refused_and_not_quoted(change: dict[str, Any], problem: str) -> None:
    found = list(not_certified(Certificate, PUBLIC | change, "public"))
    assert any(problem in one for one in found), found
    assert "D001" not in " ".join(found)


def test_a_controlled_certificate_counts_who_is_left_out_and_names_nobody() -> None:
    demographics = dict.fromkeys(("persons", "withheld", "cells", "k", "l", "cells_below_l", "persons_below_l"), 7)
    content = PUBLIC | {
        "tier": "controlled",
        "consent": {"purpose": "sharing_controlled", "persons": 9, "left_out": {"x": 1}, "purposes_of_those_in": {}},
        "demographics": demographics | dict.fromkeys(("age", "country", "gender"), "left out") | {"loss": 0.5},
    }
    assert list(not_certified(Certificate, content, "controlled")) == []
    content["demographics"]["withheld_ids"] = []
    assert list(not_certified(Certificate, content, "controlled")) == [
        "demographics.withheld_ids is not on the list of what it may say"
    ]


def test_a_table_of_the_study_itself_may_not_be_on_a_list(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not [*_lists("controlled"), *_lists("public")]
    monkeypatch.setitem(controlled_tables(), "audit.row_accounting", {"rows": "numbers"})
    (problem,) = _lists("controlled")
    assert "audit.row_accounting may not be on the list" in problem.what and "tables.yml" in problem.look_at[0]


def test_a_number_of_a_person_is_a_total_or_is_not_released() -> None:
    """It recurs in each release: only what is counted again from the plays of the release may."""
    columns = [Column("research", table, name, "BIGINT") for table, of in controlled_tables().items() for name in of]
    assert not [
        one.place
        for one in columns
        if controlled_tables()[one.table][one.name] == "numbers" and _counts_persons(one, columns)
    ]
    assert _counts_persons(
        next(one for one in columns if one.place == "marts.participants.plays"),
        [one for one in columns if not one.name.endswith("_at_local")],
    )


@pytest.mark.parametrize("name", WEAKEST)
def test_a_threshold_that_is_too_weak_is_refused_by_name_and_file(name: str) -> None:
    sign, weakest = WEAKEST[name]
    assert strict_enough(name, weakest, "x.yml") == weakest
    assert strict_enough(name, weakest + sign * 0.01, "x.yml")
    with pytest.raises(WeakThreshold, match=rf"{name} is .* in x.yml; the privacy rules ask for at (least|most)"):
        strict_enough(name, weakest - sign * 0.01, "x.yml")


def test_weak_thresholds_of_the_project_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    assert weak_thresholds() == []
    monkeypatch.setattr(thresholds, "parameters", lambda: {"small_group_persons": 2, "withheld_at_most": 0.5})
    thresholds.small_group.cache_clear()
    try:
        assert [(one.name, one.file) for one in weak_thresholds()] == [
            ("small_group_persons", "dbt_project.yml"),
            ("withheld_at_most", "dbt_project.yml"),
        ]
    finally:
        thresholds.small_group.cache_clear()
