"""The specification curve: every choice is in it, and its estimates are those of the mixed model."""

from __future__ import annotations

import pandas as pd
import pytest
from small_studies import Planted, small_study

from consonance.report.statistics.association import associate
from consonance.report.statistics.results import Association, Question, SpecificationCurve
from consonance.report.statistics.specifications import specification_curve

FEATURES = {"mean_valence": "plays_with_features", "mean_danceability": "plays_with_features"}


def curve(windows: pd.DataFrame, features: dict[str, str] = FEATURES) -> SpecificationCurve:
    return specification_curve(windows, "music_to_report", "reported_valence", features, ["before_60m"])


def test_every_combination_is_estimated_and_the_planted_effect_stands_out() -> None:
    windows = small_study(30, 3, Planted(within=1.0))[0]
    found = curve(windows)
    assert len(found.specifications) == len(found.estimated) == 2 * 3 * 3 * 2
    estimates = [one.estimate.value for one in found.specifications if one.estimate]
    assert estimates == sorted(estimates)
    valence = curve(windows, {"mean_valence": "plays_with_features"})
    nothing = curve(windows, {"mean_danceability": "plays_with_features"})
    assert valence.share_positive == 1 and (valence.share_significant or 0) > 0.6 > (nothing.share_significant or 0)


def test_the_within_estimator_agrees_with_the_mixed_model() -> None:
    """To a third of the standard error: persons with many reports weigh more in it."""
    for seed in range(3):
        windows = small_study(30, seed)[0]
        question = Question("music_to_report", "reported_valence", "mean_valence", "before_60m")
        mixed = associate(windows, question)
        assert isinstance(mixed, Association)
        one = next(
            s
            for s in curve(windows).specifications
            if (s.predictor, s.centring, s.minimum_plays, s.control_time) == ("mean_valence", "person_mean", 1, True)
        )
        assert one.estimate is not None and one.reports == mixed.reports
        error = mixed.within.standard_error * mixed.within.predictor_sd / mixed.within.outcome_sd
        assert abs(one.estimate.value - mixed.within.standardised.value) < error / 3


def test_in_the_other_direction_and_in_any_order() -> None:
    windows = small_study(12, seed=4)[0]

    def back(frame: pd.DataFrame) -> list[float]:
        found = specification_curve(
            frame, "report_to_music", "reported_valence", {"mean_valence": "plays_with_features"}, ["after_60m"]
        )
        return [one.estimate.value for one in found.specifications if one.estimate]

    assert len(back(windows)) == 18
    assert back(windows) == pytest.approx(back(windows.sample(frac=1, random_state=2)))


def test_odd_studies_have_specifications_without_estimates() -> None:
    windows = small_study(5, seed=5)[0]
    entirely = windows.assign(reported_valence=windows["mean_valence"], mean_danceability=windows["mean_valence"])
    one_person = windows[windows["participant_id"] == "p001"]
    for odd in (windows.iloc[:0], one_person, windows.assign(reported_valence=0.5), entirely):
        found = curve(odd)
        assert len(found.specifications) == 36 and not found.estimated
        assert found.median is found.share_positive is found.share_significant is None
        assert all(one.no_result for one in found.specifications)
