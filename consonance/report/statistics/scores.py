"""How good predictions are, with intervals by bootstrap over persons."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from consonance.report.statistics.results import Inputs, Interval, ModelName, Score

BOOTSTRAP_SAMPLES = 2000
Floats = NDArray[np.float64]
Numbers = NDArray[np.intp]


@dataclass(frozen=True)
class Held:
    """The reports that were predicted: outcome, number of the person, number of the outer fold."""

    y: Floats
    persons: Numbers
    folds: Numbers


def score(model: ModelName, inputs: Inputs, held: Held, predicted: Floats, dummy: Floats) -> Score:
    """Every measure with the interval between the 2.5th and 97.5th percentile of samples of persons.

    Each measure is made of sums over the rows of a person, so that a sample of persons is a weight for each of them.
    The predictions stay what they are: the intervals leave out that other persons would give other models.
    """
    weights = _samples(int(held.persons.max()) + 1)
    n, mae, dummy_mae, squares = (
        weights @ _sums(held.persons, values)
        for values in (np.ones_like(held.y), abs(held.y - predicted), abs(held.y - dummy), (held.y - predicted) ** 2)
    )
    total = weights @ _sums(held.persons, held.y**2) - (weights @ _sums(held.persons, held.y)) ** 2 / n
    return Score(
        model=model,
        inputs=inputs,
        r2=_interval(1 - squares / np.where(total > 0, total, np.nan)),
        mae=_interval(mae / n),
        mae_gain=_interval((dummy_mae - mae) / n),
        r=_correlation(held, predicted, weights, held.folds),
        r_within=_correlation(held, predicted, weights, held.persons),
    )


def _samples(persons: int) -> Floats:
    """How often each person is in each sample, shape (1 + samples, persons); the first row is the sample itself."""
    drawn = np.random.default_rng(2020).multinomial(persons, np.full(persons, 1 / persons), BOOTSTRAP_SAMPLES)
    return np.vstack([np.ones(persons), drawn])


def _sums(groups: Numbers, values: Floats) -> Floats:
    return np.bincount(groups, values).astype(np.float64)


def _interval(values: Floats) -> Interval:
    low, high = np.nanpercentile(values[1:], [2.5, 97.5])
    return Interval(float(values[0]), float(low), float(high))


def _correlation(held: Held, predicted: Floats, weights: Floats, groups: Numbers) -> Interval | None:
    """Correlation of the deviations from the means of each group (persons, or folds of persons).

    Folds differ in the mean of their training rows, which alone would make the correlation of the dummy negative.
    """
    y = held.y - (_sums(groups, held.y) / _sums(groups, np.ones_like(held.y)))[groups]
    p = predicted - (_sums(groups, predicted) / _sums(groups, np.ones_like(held.y)))[groups]
    if not (p**2).sum() > 1e-18 * max((predicted**2).sum(), 1e-300) or not (y**2).sum() > 0:
        return None
    group_of = np.zeros((weights.shape[1], int(groups.max()) + 1))
    group_of[held.persons, groups] = 1

    def products(a: Floats, b: Floats) -> Floats:
        """Sum of products around the means of the groups, for each sample."""
        n, of_a, of_b, both = (
            weights @ (group_of * _sums(held.persons, values)[:, None]) for values in (np.ones_like(a), a, b, a * b)
        )
        return np.asarray((both - np.divide(of_a * of_b, n, out=np.zeros_like(n), where=n > 0)).sum(axis=1))

    scale = np.sqrt(np.clip(products(y, y), 0, None) * np.clip(products(p, p), 0, None))
    return _interval(np.divide(products(y, p), scale, out=np.full_like(scale, np.nan), where=scale > 1e-15))
