"""Every sentence that claims is written from its interval, by rule."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consonance.report.sentences import (
    Evidence,
    Sentence,
    Verdict,
    differs,
    explained_by,
    number,
    percent,
    predicts_better,
    probability,
    warns,
)
from consonance.report.statistics.results import Effect, Interval, NoResult

WHY = NoResult("too_few_persons", "Fewer than 5 persons have reports.")


def said(low: float, high: float, **more: float) -> Sentence:
    evidence = Evidence(Interval((low + high) / 2, low, high), **more)  # type: ignore[arg-type]
    return differs("reported valence", "after brighter music", "points", evidence)


def test_an_interval_above_0_says_higher_with_size_and_interval() -> None:
    sentence = said(0.1, 0.3)
    assert sentence.verdict is Verdict.FOUND
    assert (
        sentence.text
        == "Reported valence is higher after brighter music: by 0.20 points (95\u00a0% interval 0.10 to 0.30)."
    )


def test_an_interval_below_0_says_lower() -> None:
    assert said(-0.3, -0.1).text == (
        "Reported valence is lower after brighter music: by 0.20 points (95\u00a0% interval −0.30 to −0.10)."
    )


@pytest.mark.parametrize("ends", [(-0.1, 0.3), (0.0, 0.3), (-0.3, 0.0)])
def test_an_interval_with_0_says_no_evidence_and_what_remains_possible(ends: tuple[float, float]) -> None:
    sentence = said(*ends)
    assert sentence.verdict is Verdict.NO_EVIDENCE
    assert sentence.text.startswith("There is no evidence that reported valence differs after brighter music.")
    assert f"effects from {number(ends[0])} to {number(ends[1])} points remain possible" in sentence.text


def test_what_does_not_survive_the_correction_is_no_evidence() -> None:
    assert said(0.1, 0.3, p_adjusted=0.04, tests=4).text.endswith(
        "(95\u00a0% interval 0.10 to 0.30; p = 0.040 after the correction for 4 tests)."
    )
    lost = said(0.1, 0.3, p_adjusted=0.06, tests=4)
    assert lost.verdict is Verdict.NO_EVIDENCE
    assert "does not survive the correction for 4 tests (corrected p = 0.060)" in lost.text
    assert said(0.1, 0.3, p_adjusted=math.nan, tests=4).verdict is Verdict.NO_EVIDENCE


@pytest.mark.parametrize(
    "interval", [WHY, Interval(1.0, None, None), Interval(math.nan, 0.1, 0.2), Interval(1, -math.inf, 2)]
)
def test_what_was_not_computed_says_why(interval: Interval | NoResult) -> None:
    for sentence in (
        differs("reported valence", "after brighter music", "points", Evidence(interval)),
        predicts_better("an elastic net", "the dummy", "points", Evidence(interval)),
        warns("prompts are missed", "prompts are answered", "of prompts", "So it is.", Evidence(interval)),
    ):
        assert sentence.verdict is Verdict.NOT_COMPUTED
        assert "was not computed." in sentence.text
        assert sentence.text.endswith(WHY.explanation if interval is WHY else "The estimate has no interval.")


def test_a_model_is_better_worse_or_without_evidence() -> None:
    def text(low: float, high: float) -> str:
        return predicts_better(
            "an elastic net", "the dummy", "points", Evidence(Interval((low + high) / 2, low, high))
        ).text

    assert (
        text(0.1, 0.3)
        == "An elastic net predicts better than the dummy: by 0.20 points (95\u00a0% interval 0.10 to 0.30)."
    )
    assert text(-0.3, -0.1).startswith("An elastic net predicts worse than the dummy: by 0.20 points")
    assert text(-0.1, 0.3).startswith("There is no evidence that an elastic net predicts better than the dummy.")


def test_a_warning_says_the_side_and_what_follows() -> None:
    def text(low: float, high: float) -> str:
        evidence = Evidence(Interval((low + high) / 2, low, high))
        return warns("more is missing", "less is missing", "of prompts", "Beware.", evidence).text

    assert text(0.1, 0.3) == "More is missing: by 0.20 of prompts (95\u00a0% interval 0.10 to 0.30). Beware."
    assert text(-0.3, -0.1).startswith("Less is missing")
    assert text(-0.1, 0.1).startswith("There is no evidence that more is missing.")


def test_control_explains_leaves_or_has_nothing_to_explain() -> None:
    there, gone = Interval(0.2, 0.1, 0.3), Interval(0.01, -0.1, 0.12)
    (explained,) = explained_by("the association", "the hour", there, Evidence(gone, 0.9, 4))
    assert explained.verdict is Verdict.EXPLAINED and explained.text.endswith("The hour can explain it.")
    assert explained.text.startswith("The interval of the association excludes 0 without control for the hour")
    (left,) = explained_by("the association", "the hour", there, Evidence(there, 0.04, 4))
    assert left.verdict is Verdict.FOUND and left.text.startswith("The association stays with control for the hour")
    assert explained_by("the association", "the hour", gone, Evidence(there, 0.04, 4)) == ()


def test_what_the_correction_takes_is_not_found_with_control() -> None:
    there = Interval(0.2, 0.1, 0.3)
    assert explained_by("the association", "the hour", there, Evidence(there, 0.06, 4)) == ()


def test_an_effect_is_told_for_one_standard_deviation() -> None:
    effect = Effect("within", 2.0, 0.5, 30, 1.0, 3.0, 0.001, predictor_sd=0.1, outcome_sd=0.4)
    assert Evidence.of_effect(effect).interval == Interval(pytest.approx(0.2), pytest.approx(0.1), pytest.approx(0.3))
    assert Evidence.of_effect(WHY).interval is WHY


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
def test_found_is_said_only_of_intervals_without_0(value: float, below: float, above: float) -> None:
    interval = Interval(value, value - below, value + above)
    sentence = differs("it", "then", "points", Evidence(interval))
    assert (sentence.verdict is Verdict.FOUND) == (value - below > 0 or value + above < 0)


def test_numbers_as_they_are_printed() -> None:
    assert [number(value) for value in (0, -0.0, 0.5, -0.123, 0.0123, -0.00012, 1234.5, math.nan, None)] == [
        "0.00", "0.00", "0.50", "−0.12", "0.012", "−0.00012", "1,234", "–", "–",
    ]  # fmt: skip
    assert [percent(share) for share in (0, 0.012, 0.5, 1)] == ["0\u00a0%", "1.2\u00a0%", "50\u00a0%", "100\u00a0%"]
    assert [probability(p) for p in (0.0004, 0.05, None)] == ["below 0.001", "0.050", "–"]
