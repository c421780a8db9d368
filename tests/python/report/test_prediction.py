"""Prediction of persons never seen: baselines, leaks, odd studies."""

from __future__ import annotations

import inspect

import numpy as np
import pandas as pd
import pytest

from consonance.report.statistics.prediction import predict
from consonance.report.statistics.results import NoResult, Prediction, Score

PERSONS, REPORTS, FOLDS = 24, 12, 3


@pytest.fixture(scope="module")
def examples() -> pd.DataFrame:
    """Moods differ by person and follow a feature within persons; ``own_id`` is another number for each person."""
    random = np.random.default_rng(11)
    person = np.repeat(np.arange(PERSONS), REPORTS)
    rows = pd.DataFrame(
        {
            "participant_id": [f"p{number:02}" for number in person],
            "report_id": [f"r{number:03}" for number in range(len(person))],
            "emotion_window": "before_60m",
            "reported_at_local": np.datetime64("2026-03-02T08:00")
            + np.tile(np.arange(REPORTS) * 300, PERSONS).astype("timedelta64[m]"),
            "fold": person % FOLDS,
            "own_id": random.permutation(PERSONS)[person],
            "valence_within": random.normal(size=len(person)),
            "noise": random.normal(size=len(person)),
        }
    )
    usual = random.normal(0, 0.4, PERSONS)[person]
    rows["valence"] = usual + 0.2 * rows["valence_within"] + random.normal(0, 0.2, len(person))
    rows["previous_valence"] = rows.groupby("participant_id")["valence"].shift()
    return rows


def predicted(examples: pd.DataFrame, *features: str, learners: tuple = ("elastic_net",)) -> Prediction:
    found = predict(examples, "valence", features, learners)
    assert isinstance(found, Prediction)
    return found


def one(found: Prediction, model: str, inputs: str) -> Score:
    return next(score for score in found.scores if (score.model, score.inputs) == (model, inputs))


def test_a_feature_that_matters_predicts_and_the_dummy_does_not(examples: pd.DataFrame) -> None:
    found = predicted(examples, "valence_within")
    music, both = one(found, "elastic_net", "music"), one(found, "elastic_net", "music_and_context")
    assert found.dummy is found.scores[0] and found.dummy.r is None and found.dummy.r2.value <= 0
    assert found.dummy.mae_gain.value == 0
    assert music.r_within is not None and (music.r_within.low or 0) > 0.5
    assert (both.mae_gain.low or 0) > 0 and both.r2.value > one(found, "previous_report", "none").r2.value
    assert (found.reports, found.persons, found.folds) == (PERSONS * REPORTS, PERSONS, FOLDS)


def test_the_mean_of_a_person_never_seen_is_the_dummy(examples: pd.DataFrame) -> None:
    found = predicted(examples)
    assert one(found, "person_mean", "none").mae == found.dummy.mae
    assert not any(score.inputs == "music" for score in found.scores)


def test_the_id_of_a_person_predicts_nothing(examples: pd.DataFrame) -> None:
    """Row-wise folds would let trees learn each person's mean from it: R² would be far above zero."""
    found = predicted(examples, "own_id", learners=("elastic_net", "gradient_boosting"))
    for learner in ("elastic_net", "gradient_boosting"):
        score = one(found, learner, "music")
        assert score.r2.value < 0.05 and (score.mae_gain.low or 0) <= 0
        assert score.r is None or (score.r.low or 0) <= 0
        assert score.r_within is None


def test_rows_cannot_be_divided_in_another_way(examples: pd.DataFrame) -> None:
    assert set(inspect.signature(predict).parameters) == {"examples", "outcome", "features", "learners", "progress"}
    with pytest.raises(ValueError, match="two folds"):
        predict(examples.assign(fold=np.arange(len(examples)) % 5), "valence", ["noise"])
    with pytest.raises(ValueError, match="several windows"):
        predict(pd.concat([examples, examples.assign(emotion_window="before_30m")]), "valence", ["noise"])


def test_order_of_rows_and_names_do_not_matter(examples: pd.DataFrame) -> None:
    names = dict(
        zip(sorted(examples["participant_id"].unique()), np.random.default_rng(1).permutation(PERSONS), strict=True)
    )
    other = examples.assign(participant_id=examples["participant_id"].map(names)).sample(frac=1, random_state=4)
    for first, second in zip(
        predicted(examples, "valence_within").scores, predicted(other, "valence_within").scores, strict=True
    ):
        assert first.r2.value == pytest.approx(second.r2.value) and first.mae.low == pytest.approx(second.mae.low)


def test_a_feature_that_is_known_of_one_group_of_people_alone_stops_no_model(examples: pd.DataFrame) -> None:
    """Of the others, from whom a model learns, nothing is known."""
    known = examples.assign(rare=examples["noise"].where(examples["fold"] == 0))
    found = predicted(known, "rare", learners=("elastic_net", "gradient_boosting"))
    assert {score.model for score in found.scores} >= {"elastic_net", "gradient_boosting"}


def test_odd_studies_have_a_reason(examples: pd.DataFrame) -> None:
    cases = {
        "no_rows": examples.assign(valence=np.nan),
        "too_few_persons": examples[examples["participant_id"] < "p05"],
        "no_variation": examples.assign(valence=0.5),
    }
    for reason, odd in cases.items():
        found = predict(odd, "valence", ["noise"])
        assert isinstance(found, NoResult) and found.reason == reason
    assert isinstance(predict(examples.iloc[:0], "valence", ["noise"]), NoResult)
    assert isinstance(predict(examples.assign(fold=1), "valence", ["noise"]), NoResult)
    missing = predicted(examples.assign(noise=np.nan, previous_valence=np.nan), "noise")
    assert {score.inputs for score in missing.scores} == {"none", "context", "music_and_context"}
