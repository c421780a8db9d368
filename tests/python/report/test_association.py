"""Association: known answers, odd studies, and that names and order of rows do not matter."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from small_studies import Planted, small_study

from consonance.report.questions import Asked
from consonance.report.sections.association import Answered, sentences
from consonance.report.sentences import Sentence, Verdict
from consonance.report.statistics import association
from consonance.report.statistics.association import associate, with_and_without_time
from consonance.report.statistics.mixed_model import fit_mixed_model
from consonance.report.statistics.multiple_tests import correct
from consonance.report.statistics.power import smallest_effect
from consonance.report.statistics.results import Association, Effect, NoResult, Question, TimeControl
from consonance.report.statistics.rows import rows_of

MUSIC_TO_REPORT = Question("music_to_report", "reported_valence", "mean_valence", "before_60m")
REPORT_TO_MUSIC = Question("report_to_music", "mean_valence", "reported_valence", "after_60m")
ENERGY_TO_AROUSAL = Question("music_to_report", "reported_arousal", "mean_energy", "before_60m")


PLANTED = Planted(within=0.6)


@pytest.fixture(scope="module")
def windows() -> pd.DataFrame:
    return small_study(40, seed=3, planted=PLANTED)[0]


def associated(windows: pd.DataFrame, question: Question) -> Association:
    found = associate(windows, question)
    assert isinstance(found, Association)
    return found


def test_planted_effects_lie_in_their_intervals(windows: pd.DataFrame) -> None:
    forth, back = associated(windows, MUSIC_TO_REPORT), associated(windows, REPORT_TO_MUSIC)
    assert forth.within.low <= PLANTED.within <= forth.within.high
    assert forth.within.excludes_zero and back.within.excludes_zero
    assert back.within.low <= PLANTED.next_music <= back.within.high
    assert isinstance(forth.between, Effect) and forth.between.low <= PLANTED.between <= forth.between.high
    assert forth.controls == ("previous", "hour", "weekend")
    assert forth.random_slope and forth.fallback is None and forth.persons == 40
    assert forth.between.df == 38 and 20 < forth.within.df < forth.reports
    null = associated(windows, replace(MUSIC_TO_REPORT, predictor="mean_danceability"))
    assert not null.within.excludes_zero


def test_an_effect_of_the_hour_vanishes_when_the_hour_is_held_constant(windows: pd.DataFrame) -> None:
    found = with_and_without_time(windows, ENERGY_TO_AROUSAL)
    assert isinstance(found.without_control, Association) and isinstance(found.with_control, Association)
    assert found.vanishes and found.share_left is not None and abs(found.share_left) < 0.3
    assert found.without_control.reports == found.with_control.reports
    assert with_and_without_time(windows, MUSIC_TO_REPORT).vanishes is False


def test_order_of_rows_and_names_do_not_matter(windows: pd.DataFrame) -> None:
    names = {name: f"x{number}" for number, name in enumerate(sorted(windows["participant_id"].unique(), reverse=True))}
    other = windows.assign(participant_id=windows["participant_id"].map(names)).sample(frac=1, random_state=1)
    for question in (MUSIC_TO_REPORT, REPORT_TO_MUSIC):
        first, second = associated(windows, question).within, associated(other, question).within
        assert (first.estimate, first.low) == pytest.approx((second.estimate, second.low), rel=1e-4)
        # The smaller a p, the more a last digit of the estimate changes it; its logarithm hardly.
        assert math.log(first.p) == pytest.approx(math.log(second.p), rel=1e-4)


def test_units_do_not_matter(windows: pd.DataFrame) -> None:
    first = associated(windows, MUSIC_TO_REPORT)
    other = associated(
        windows.assign(
            mean_valence=100 * windows["mean_valence"], reported_valence=7 * windows["reported_valence"] + 3
        ),
        MUSIC_TO_REPORT,
    )
    assert other.within.estimate == pytest.approx(0.07 * first.within.estimate, rel=1e-4)
    assert other.within.standardised.value == pytest.approx(first.within.standardised.value, rel=1e-4)


def test_odd_studies_have_no_model_and_a_reason(windows: pd.DataFrame) -> None:
    usual = windows.groupby("participant_id")["mean_valence"].transform("mean")
    cases = {
        "nobody": (windows.iloc[:0], "no_rows"),
        "all missing": (windows.assign(reported_valence=np.nan), "no_rows"),
        "one person": (windows[windows["participant_id"] == "p001"], "too_few_persons"),
        "four persons": (windows[windows["participant_id"] < "p004"], "too_few_persons"),
        "one mood": (windows.assign(reported_valence=0.25), "no_variation"),
        "the music itself reported": (windows.assign(reported_valence=windows["mean_valence"]), "not_converged"),
        "the same music for each person": (windows.assign(mean_valence=usual), "no_variation"),
        "one report each": (windows.groupby(["participant_id", "emotion_window"]).head(1), "no_rows"),
        "three reports each": (windows.groupby(["participant_id", "emotion_window"]).head(3).head(30), "too_few"),
    }
    for case, (odd, reason) in cases.items():
        found = associate(odd, MUSIC_TO_REPORT)
        assert isinstance(found, NoResult) and found.reason.startswith(reason), case
        assert found.explanation.endswith("."), case


def test_without_differences_between_persons_there_is_an_effect_within(windows: pd.DataFrame) -> None:
    rows = windows[windows["emotion_window"] == "before_60m"].groupby("participant_id").head(20).copy()
    rows["mean_valence"] = np.tile([0.3, 0.7], len(rows) // 2)[: len(rows)]
    rows["plays_with_features"] = 3
    found = associate(rows, replace(MUSIC_TO_REPORT, control_previous=False, control_time=False))
    assert isinstance(found, Association) and isinstance(found.between, NoResult)
    assert found.between.reason == "no_variation" and found.controls == ()


def test_a_model_without_slopes_says_so(windows: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = fit_mixed_model
    monkeypatch.setattr(
        association, "fit_mixed_model", lambda y, x, slope, p: None if slope is not None else fit(y, x, None, p)
    )
    found = associated(windows, MUSIC_TO_REPORT)
    assert not found.random_slope and found.slope_sd is None and found.fallback
    monkeypatch.setattr(association, "fit_mixed_model", lambda *_: None)
    assert associate(windows, MUSIC_TO_REPORT).reason == "not_converged"  # type: ignore[union-attr]


def test_the_previous_report_is_of_the_same_instrument_and_may_be_without_music() -> None:
    windows = pd.DataFrame(
        {
            "participant_id": "p",
            "report_id": list("abcd"),
            "instrument": ["grid", "sam", "grid", "grid"],
            "reported_at_local": pd.to_datetime([f"2026-03-02T1{n}:00" for n in range(4)]),
            "emotion_window": "before_60m",
            "reported_valence": [0.1, 0.9, 0.2, 0.3],
            "mean_valence": [np.nan, 0.5, 0.6, 0.7],
            "plays_with_features": [0, 1, 2, 1],
        }
    )
    rows = rows_of(windows, MUSIC_TO_REPORT)
    assert rows["previous"].tolist() == [0.1, 0.2] and rows["y"].tolist() == [0.2, 0.3]
    assert rows_of(windows, replace(MUSIC_TO_REPORT, minimum_plays=2))["y"].tolist() == [0.2]


def test_p_values_are_corrected_in_families_of_their_level(windows: pd.DataFrame) -> None:
    one = associated(windows, MUSIC_TO_REPORT)
    ps = (0.01, 0.04, 0.03)
    three = [replace(one, within=replace(one.within, p=p), between=NoResult("no_variation", ".")) for p in ps]
    none = NoResult("no_rows", "No report has both values.")
    holm = correct([three[0], none, *three[1:]])
    assert holm[1] is none
    assert [a.within.p_adjusted for a in holm if isinstance(a, Association)] == pytest.approx([0.03, 0.06, 0.06])
    rate = correct(three, "benjamini_hochberg")
    assert [a.within.p_adjusted for a in rate if isinstance(a, Association)] == pytest.approx([0.03, 0.04, 0.04])
    assert {a.within.tests for a in holm if isinstance(a, Association)} == {3}


def test_no_sentence_claims_what_another_says_the_correction_took(windows: pd.DataFrame) -> None:
    one = associated(windows, MUSIC_TO_REPORT)
    time = TimeControl(one, one)
    for p, said in ((0.03, {Verdict.NO_EVIDENCE}), (0.001, {Verdict.FOUND})):
        found = replace(one, within=replace(one.within, p=p), between=NoResult("no_variation", "."))
        nothing = replace(found, within=replace(one.within, p=0.9, low=-1.0, high=1.0))
        before, *_, after = correct([found, nothing, nothing, nothing])
        asked = Asked("reported_valence", "valence", "reported valence", "valence", "points", *[MUSIC_TO_REPORT] * 2)
        first, control = (
            differing(sentences(Answered(asked, before, after, time)), words)
            for words in ("after music", "control for")
        )
        assert {first[0].verdict} == said and {one.verdict for one in control} == said - {Verdict.NO_EVIDENCE}


def differing(found: tuple[Sentence, ...], words: str) -> list[Sentence]:
    return [one for one in found if words in one.text]


def test_the_smallest_effect_is_found_four_times_out_of_five(windows: pd.DataFrame) -> None:
    effect = associated(windows, MUSIC_TO_REPORT).within
    smallest = smallest_effect(effect)
    away = smallest.effect / effect.standard_error
    assert stats.nct.sf(stats.t.ppf(0.975, effect.df), effect.df, away) == pytest.approx(0.8, abs=0.01)
    assert smallest.standardised == pytest.approx(smallest.effect * effect.predictor_sd / effect.outcome_sd)
