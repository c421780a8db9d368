"""The list of what is in a release, and what its certificate says of the checks."""

from __future__ import annotations

import pytest
import yaml

from consonance.checks.check import CheckResult, listed
from consonance.release import certificate
from consonance.release.contents import controlled_tables, public_tables, tables_of
from consonance.release.contents_check import ABSOLUTE_PATH
from consonance.release.kinds import TOTALS
from consonance.release.proofs import what_checks_prove
from consonance.release.release_checks import ON_FILES, ON_RELEASE, ON_STUDY
from consonance.study.dbt_command import PROJECT

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
    assert bool(ABSOLUTE_PATH.search(text.encode())) is is_path


def test_the_first_findings_are_listed() -> None:
    assert listed(["the file a is missing"]) == "the file a is missing."
    assert listed(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more."
