"""Prediction of reports of persons never seen, beside baselines, under nested person-wise cross-validation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNetCV
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from consonance.report.statistics.results import Inputs, ModelName, NoResult, Prediction, Score
from consonance.report.statistics.rows import time_columns
from consonance.report.statistics.scores import BOOTSTRAP_SAMPLES, Held, score
from consonance.report.statistics.threads import one_core

MINIMUM_PERSONS = 10
INNER_FOLDS = 3
LEARNERS: tuple[ModelName, ...] = ("elastic_net", "gradient_boosting")
INPUTS: tuple[Inputs, ...] = ("context", "music", "music_and_context")


@one_core
def predict(
    examples: pd.DataFrame,
    outcome: str,
    features: Sequence[str],
    learners: Sequence[ModelName] = LEARNERS,
    progress: Callable[[str], None] = lambda _: None,
) -> Prediction | NoResult:
    """Predict an outcome of ``training_examples``, each person by models that have not seen the person.

    The outer folds are the column ``fold``, which is the person's. Within the training rows the parameters of a model
    are chosen by another division into groups of persons. There is no other way to divide the rows.

    Args:
        examples: One row per report, of one window: ``participant_id, report_id, emotion_window, reported_at_local,
            fold``, the outcome, ``previous_<outcome>`` and the features.
        outcome: The column to predict.
        features: Columns of music, such as ``valence_within, valence_between, valence_missing``. They may be empty.
        learners: Which models to fit beside the baselines.
        progress: Reports each model, in a few words.

    Raises:
        ValueError: A person is in two folds, or the rows are of several windows.
    """
    rows = examples[examples[outcome].notna()]
    persons = int(rows["participant_id"].nunique())
    if (rows.groupby("participant_id")["fold"].nunique() > 1).any():
        raise ValueError("A person is in two folds.")
    if rows["emotion_window"].nunique() > 1:
        raise ValueError("The rows are of several windows.")
    if rows.empty:
        return NoResult("no_rows", "No report has the outcome.")
    if persons < MINIMUM_PERSONS or rows["fold"].nunique() < 2:
        return NoResult("too_few_persons", f"Fewer than {MINIMUM_PERSONS} persons, or one fold.", len(rows), persons)
    if rows[outcome].nunique() < 2:
        return NoResult("no_variation", "The outcome never differs.", len(rows), persons)

    rows = _in_an_order_of_their_own(rows, outcome)
    held = Held(y=rows[outcome].to_numpy(float), persons=rows["person"].to_numpy(), folds=pd.factorize(rows["fold"])[0])
    previous = rows[f"previous_{outcome}"].astype(float)
    context = time_columns(rows["reported_at_local"]).assign(
        previous=previous, no_previous=previous.isna().astype(float)
    )
    music = rows[list(features)].astype(float)
    columns: dict[Inputs, pd.DataFrame] = {
        "context": context,
        "music": music,
        "music_and_context": pd.concat([context, music], axis=1),
    }
    dummy = _by_fold(held, lambda train, test: np.full(test.sum(), held.y[train].mean()))
    person_mean = _by_fold(held, lambda train, test: _person_means(held, train, test))
    scores = [
        score("dummy", "none", held, dummy, dummy),
        score("person_mean", "none", held, person_mean, dummy),
        score("previous_report", "none", held, previous.fillna(pd.Series(dummy, previous.index)).to_numpy(), dummy),
    ]
    for learner in learners:
        for inputs in INPUTS:
            if columns[inputs].empty or columns[inputs].isna().all(axis=None):
                continue
            progress(f"prediction of {outcome}: {learner}, {inputs}")
            scores.append(_learner_score(learner, inputs, held, columns[inputs].to_numpy(), dummy))
    return Prediction(
        outcome=outcome,
        window=str(rows["emotion_window"].iloc[0]),
        scores=tuple(scores),
        reports=len(rows),
        persons=persons,
        folds=int(held.folds.max()) + 1,
        features=tuple(features),
        bootstrap_samples=BOOTSTRAP_SAMPLES,
    )


def _in_an_order_of_their_own(rows: pd.DataFrame, outcome: str) -> pd.DataFrame:
    """The rows in an order that depends neither on their own nor on the names of participants; ``person`` numbers them.

    Groups of persons in the inner folds follow from it.
    """
    facts = rows.groupby("participant_id").agg(
        fold=("fold", "first"), reports=(outcome, "size"), first=("reported_at_local", "min"), mean=(outcome, "mean")
    )
    facts = facts.assign(mean=facts["mean"].round(9)).sort_values(["fold", "reports", "first", "mean"])
    number = pd.Series(range(len(facts)), index=facts.index)
    rows = rows.assign(person=rows["participant_id"].map(number))
    return rows.sort_values(["person", "reported_at_local", outcome]).reset_index(drop=True)


def _by_fold(
    held: Held, predicted: Callable[[NDArray[np.bool_], NDArray[np.bool_]], NDArray[np.float64]]
) -> NDArray[np.float64]:
    """For each row what a model of the other folds predicts."""
    values = np.empty(len(held.y))
    for fold in range(held.folds.max() + 1):
        test = held.folds == fold
        values[test] = predicted(~test, test)
    return values


def _person_means(held: Held, train: NDArray[np.bool_], test: NDArray[np.bool_]) -> NDArray[np.float64]:
    known = pd.Series(held.y[train]).groupby(held.persons[train]).mean()
    means = pd.Series(held.persons[test]).map(known).fillna(held.y[train].mean())
    return np.asarray(means, dtype=float)


def _learner_score(
    learner: ModelName, inputs: Inputs, held: Held, x: NDArray[np.float64], dummy: NDArray[np.float64]
) -> Score:
    def predicted(train: NDArray[np.bool_], test: NDArray[np.bool_]) -> NDArray[np.float64]:
        model = _model(learner, x[train], held.y[train], held.persons[train])
        return np.asarray(model.predict(x[test]), dtype=float)

    return score(learner, inputs, held, _by_fold(held, predicted), dummy)


class WithoutUnknown(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Makes columns 0 that have no value in what a model learns from: boosting cannot learn from such a column."""

    def fit(self, x: NDArray[np.float64], y: object = None) -> WithoutUnknown:
        """Find out which columns have no value; ``y`` is not used."""
        self.unknown_ = np.isnan(x).all(axis=0)
        return self

    def transform(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """``x`` with 0 in these columns, also where they have a value."""
        return np.where(self.unknown_, 0.0, x)


def _model(learner: ModelName, x: NDArray[np.float64], y: NDArray[np.float64], persons: NDArray[np.intp]) -> Any:
    """A fitted model. Its parameters have the least squared error in the inner folds, which are groups of persons."""
    folds = list(GroupKFold(n_splits=min(INNER_FOLDS, len(np.unique(persons)))).split(x, y, persons))
    if learner == "elastic_net":
        # One path of penalties for each inner fold is a hundred times faster than a fit for each penalty.
        net = ElasticNetCV(l1_ratio=[0.1, 0.5, 0.9], alphas=30, cv=folds, max_iter=10_000, n_jobs=1)
        impute = SimpleImputer(strategy="median", keep_empty_features=True)
        return make_pipeline(impute, StandardScaler(), net).fit(x, y)
    # Early stopping would set rows aside at random, and with them rows of persons that it trains on.
    boosting = HistGradientBoostingRegressor(early_stopping=False, learning_rate=0.05, random_state=0)
    model = Pipeline([("unknown", WithoutUnknown()), ("boosting", boosting)])
    grid = {"boosting__max_iter": [20, 100], "boosting__max_leaf_nodes": [3, 12]}
    return GridSearchCV(model, grid, scoring="neg_mean_squared_error", cv=folds, n_jobs=1).fit(x, y)
