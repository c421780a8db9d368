"""Folds are of persons: what recognises a person predicts nothing of another one."""

from __future__ import annotations

import random
from hashlib import md5

import duckdb
import numpy as np
from sklearn.ensemble import RandomForestRegressor
from sklearn.metrics import r2_score
from sklearn.model_selection import BaseCrossValidator, KFold, PredefinedSplit, cross_val_predict

from consonance.study.shared_macros import with_macros

PERSONS, REPORTS = 100, 10


def folds_of(persons: list[str]) -> list[int]:
    """The folds of the project's own macro."""
    fold = with_macros("{{ fold_of('person') }}", ("folds.sql",))
    return [
        number
        for (number,) in duckdb.execute(f"select {fold} from (select unnest($1) as person)", [persons]).fetchall()
    ]


def test_a_persons_own_id_predicts_nothing_under_folds_of_persons() -> None:
    stream = random.Random(20261126)
    persons = [f"p{stream.getrandbits(44):011x}" for _ in range(PERSONS)]
    folds = folds_of(persons)
    assert set(folds) == set(range(5)) and min(map(folds.count, range(5))) > 10
    draw = np.random.default_rng(20261126)
    # Each person has a mood of their own, and the feature is the number that stands for the person.
    number = np.repeat(draw.permutation(PERSONS), REPORTS).reshape(-1, 1)
    mood = np.repeat(draw.normal(size=PERSONS), REPORTS) + draw.normal(scale=0.5, size=PERSONS * REPORTS)
    model = RandomForestRegressor(n_estimators=20, min_samples_leaf=3, random_state=1)

    def explained(split: BaseCrossValidator) -> float:
        return float(r2_score(mood, cross_val_predict(model, number, mood, cv=split)))

    assert explained(PredefinedSplit(np.repeat(folds, REPORTS))) < 0.05
    # Rows at random would say that the id predicts the mood.
    assert explained(KFold(5, shuffle=True, random_state=1)) > 0.5


def test_a_fold_is_that_of_the_pseudonym_whatever_else_is_there() -> None:
    fold = int.from_bytes(md5(b"pabc").digest()[8:], "little") // 2 % 5
    assert folds_of(["pabc", "pabc"]) == [fold, fold] and folds_of(["pabd", "pabc"])[1] == fold
