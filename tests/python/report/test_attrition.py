"""Attrition: standardised differences by hand, and no figure that stands for a few persons."""

from __future__ import annotations

import pandas as pd
import pytest

from consonance.report.statistics.attrition import attrition
from consonance.report.statistics.results import Attrition

STEPS = ("enrolled", "donated", "valid", "covered")


def people(counts: dict[tuple[int, str], int]) -> pd.DataFrame:
    """``counts``: how many persons reach so many steps and have that gender."""
    return pd.DataFrame(
        [
            {"age": 20 + 10 * reached, "gender": gender, **{step: n < reached for n, step in enumerate(STEPS)}}
            for (reached, gender), count in counts.items()
            for _ in range(count)
        ]
    )


def by_step(found: Attrition) -> dict[str, tuple[int | None, int | None, int | None, str]]:
    return {step.step: (step.before, step.kept, step.lost, step.from_step) for step in found.steps}


def test_shares_and_means_by_hand() -> None:
    persons = people({(1, "female"): 30, (1, "male"): 30, (4, "female"): 75, (4, "male"): 25})
    persons["age"] = [20, 30] * 30 + [30, 40] * 50
    found = attrition(persons, STEPS, ["age", "gender"])
    assert found.persons == 160
    assert by_step(found)["donated"] == (160, 100, 60, "enrolled")
    age, female, male = found.steps[0].differences
    assert (age.kept, age.lost) == (35, 25) and age.standardised == pytest.approx(10 / 5, rel=0.02)
    assert (female.kept, female.lost) == (0.75, 0.5)
    assert female.standardised == pytest.approx(0.25 / ((0.1875 + 0.25) / 2) ** 0.5)
    assert male.standardised == pytest.approx(-(female.standardised or 0))
    assert [step.kept for step in found.steps[1:]] == [100, 100] and found.steps[1].differences == ()


def test_a_step_that_loses_few_is_taken_together_with_the_next() -> None:
    found = attrition(
        people({(1, "female"): 25, (2, "female"): 20, (3, "female"): 30, (4, "female"): 50}), STEPS, ["gender"]
    )
    assert by_step(found) == {
        "donated": (125, 100, 25, "enrolled"),
        "valid": (None, None, None, "donated"),
        "covered": (100, 50, 50, "donated"),
    }


def test_small_categories_hide_another_one_and_stay_hidden() -> None:
    counts = {(1, "a"): 30, (1, "b"): 40, (1, "c"): 5, (2, "a"): 30, (2, "b"): 30, (2, "c"): 30}
    found = attrition(people(counts | {(4, "a"): 60, (4, "b"): 50, (4, "c"): 40}), STEPS, ["gender"])
    first, second = ({d.category: d for d in step.differences} for step in found.steps[:2])
    assert {name for name, d in first.items() if d.suppressed} == {"a", "c"}
    assert first["b"].kept == pytest.approx(80 / 240) and first["a"].kept is first["c"].standardised is None
    assert {name for name, d in second.items() if d.suppressed} == {"a", "c"}


def test_a_mean_of_few_is_not_shown_and_a_missing_value_is_a_category() -> None:
    persons = people({(1, "x"): 40, (4, "x"): 40})
    persons.loc[persons.index[:10], ["age"]] = float("nan")
    persons.loc[persons.index[:30], "gender"] = None
    age, missing, x = attrition(persons, STEPS, ["age", "gender"]).steps[0].differences
    assert age.suppressed and age.kept is None
    assert (missing.category, x.category) == ("missing", "x") and missing.suppressed and x.suppressed


def test_few_persons_and_nobody() -> None:
    few = attrition(people({(4, "x"): 20}), STEPS, ["gender"])
    assert few.persons is None and all(step.suppressed for step in few.steps)
    nobody = attrition(people({(4, "x"): 1}).iloc[:0], STEPS, ["gender"])
    assert nobody.persons == 0 and [step.kept for step in nobody.steps] == [0, 0, 0]
