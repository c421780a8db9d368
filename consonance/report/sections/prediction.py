"""Prediction of reports of persons never seen, with the dummy beside each model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import astuple
from typing import Any

import pandas as pd
from sklearn.exceptions import ConvergenceWarning

from consonance.report.features import FAMILIES
from consonance.report.figures import COLOURS, Figure, Table, drawn, intervals
from consonance.report.questions import OUTCOMES, WINDOW_MINUTES
from consonance.report.reading import Answer, Marts
from consonance.report.section import Section
from consonance.report.sentences import Evidence, Sentence, number, predicts_better
from consonance.report.statistics.prediction import predict
from consonance.report.statistics.results import Interval, NoResult, Prediction, Score

MODELS = {
    "dummy": "dummy: the mean of the others",
    "person_mean": "the person's mean",
    "previous_report": "the previous report",
    "elastic_net": "elastic net",
    "gradient_boosting": "gradient boosting",
}
INPUTS = {
    "none": "baseline",
    "context": "hour and previous report",
    "music": "music",
    "music_and_context": "music, hour and previous report",
}
LEGEND = INPUTS | {"music_and_context": "both"}
# Fitting models is most of the time that the page takes.
PREDICTED = 2
# Beside the features that the questions are about.
FURTHER = ("danceability", "tempo", "loudness", "acousticness")


def prediction(marts: Marts, progress: Callable[[str], None]) -> Section:
    """How well reports can be predicted from music, under person-wise cross-validation."""
    lead = (
        "Each report is predicted by a model that has not seen the person. The people are divided into five groups once and for all; "
        "parameters are chosen among the other people only. The dummy predicts the mean of the others for everyone: a model that is "
        "no better has learned nothing that helps. A person who was never seen has no mean, so the person's mean equals the dummy.",
        "Only participants who agree to the training of models, and only values of sources that permit it; the "
        f"{PREDICTED} outcomes with most reports.",
    )
    title = "Can reports be predicted?"
    answer = marts.rows("examples", emotion_window=f"before_{WINDOW_MINUTES}m")
    outcomes = [name.removeprefix("reported_") for name in OUTCOMES]
    counts = {outcome: int(answer.frame[outcome].notna().sum()) for outcome in outcomes}
    found = sorted((outcome for outcome in outcomes if counts[outcome]), key=lambda outcome: -counts[outcome])[
        :PREDICTED
    ]
    if not found:
        return Section(
            "prediction", title, lead, missing=("Prediction: there are no examples that a model may be trained on.",)
        )
    columns = _columns(answer.frame)
    if not columns:
        why = "no feature of the music that models may be trained on is known for at least half of the persons."
        return Section("prediction", title, lead, missing=(f"Prediction: {why}",))
    with warnings.catch_warnings():
        # Parameters that do not converge lose in the inner folds.
        warnings.simplefilter("ignore", ConvergenceWarning)
        results = {outcome: predict(answer.frame, outcome, columns, progress=progress) for outcome in found}
    words = marts.in_words(result.persons for result in results.values())
    figures = tuple(
        _scores(outcome, result, answer, words[result.persons])
        for outcome, result in results.items()
        if isinstance(result, Prediction)
    )
    missing = tuple(
        f"Prediction of {_name(outcome)}: {result.explanation}"
        for outcome, result in results.items()
        if isinstance(result, NoResult)
    )
    findings = tuple(
        sentence
        for outcome, result in results.items()
        if isinstance(result, Prediction)
        for sentence in _claims(outcome, result)
    )
    return Section("prediction", title, lead, findings, figures=figures, missing=missing)


def _columns(examples: pd.DataFrame) -> list[str]:
    """The features of music to learn from: those of the questions and a few more, if at least half of the persons have
    values; each as its three columns."""
    features = [*(feature for family in FAMILIES.values() for feature in family), *FURTHER]
    needed = examples["participant_id"].nunique() / 2
    known = [
        f"mean_{feature}"
        for feature in features
        if examples.loc[examples[f"mean_{feature}"].notna(), "participant_id"].nunique() >= max(needed, 1)
    ]
    return [f"{feature}_{part}" for feature in known for part in ("within", "between", "missing")]


def _name(outcome: str) -> str:
    return OUTCOMES[f"reported_{outcome}"][1]


def _model(score: Score) -> str:
    return MODELS[score.model] + ("" if score.inputs == "none" else f" from {INPUTS[score.inputs]}")


def _claims(outcome: str, result: Prediction) -> tuple[Sentence, ...]:
    """For each model that learned from music alone: is it better than the dummy?"""
    unit = f"of mean absolute error in {_name(outcome)}"
    return tuple(
        predicts_better(
            _model(score).replace("elastic net", "an elastic net"), "the dummy", unit, Evidence(score.mae_gain)
        )
        for score in result.scores
        if score.inputs == "music"
    )


def _scores(outcome: str, result: Prediction, answer: Answer, persons: str) -> Figure:
    frame = pd.DataFrame(
        [(MODELS[score.model], LEGEND[score.inputs], *astuple(score.r2)) for score in result.scores],
        columns=["name", "kind", "value", "low", "high"],
    )
    order = list(dict.fromkeys(frame["name"]))

    def drawing(width: float) -> Any:
        return intervals(
            frame, width, order=order, x_title="R² on people never seen" if width > 500 else "R²", colours=COLOURS
        )

    key = f"prediction-{outcome.replace('_', '-')}"
    title = f"Prediction of {_name(outcome)}: models and baselines"
    description = "Points with lines: R² of each model on people it has not seen, with its 95 % interval over persons; the dummy is first, at about 0."
    best = max(
        (score for score in result.scores if score.inputs != "none"), key=lambda score: score.r2.value, default=None
    )
    seen = (
        f"The dummy has R² {number(result.dummy.r2.value)} and misses by {number(result.dummy.mae.value)} on average. "
        + (
            f"The largest R² of a model that learns is {number(best.r2.value)} ({_model(best)}): it misses by {number(best.mae.value)}. "
            "The largest of several is larger by chance too; the sentences above say which intervals exclude no gain."
            if best is not None
            else "No model could be fitted."
        )
    )
    table = Table(
        (
            "model",
            "R²",
            "95 % interval",
            "mean absolute error",
            "gain over the dummy",
            "95 % interval of the gain",
            "r within persons",
        ),
        tuple(
            (
                _model(score),
                number(score.r2.value),
                _span(score.r2),
                number(score.mae.value),
                number(score.mae_gain.value),
                _span(score.mae_gain),
                number(score.r_within.value) if score.r_within else "–",
            )
            for score in result.scores
        ),
    )
    notes = (
        f"{result.reports:,} reports of {persons} persons, {result.folds} groups of people; {len(result.features)} columns of music. "
        f"Intervals: {result.bootstrap_samples:,} samples of persons with replacement.",
    )
    return Figure(
        key, title, description, (seen,), drawn(key, title, description, drawing), table, (answer.sql,), notes
    )


def _span(interval: Interval) -> str:
    return f"{number(interval.low)} to {number(interval.high)}"
