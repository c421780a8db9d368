"""One effect computed in every reasonable way: a specification curve."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd

from consonance.report.statistics.association import ENTIRELY, why_not
from consonance.report.statistics.clustered import clustered_slope
from consonance.report.statistics.results import (
    Centring,
    Direction,
    Interval,
    NoResult,
    Question,
    Specification,
    SpecificationCurve,
)
from consonance.report.statistics.rows import controls_of, person_means, rows_of
from consonance.report.statistics.threads import one_core

CENTRINGS: tuple[Centring, ...] = ("person_mean", "person_trend", "grand_mean")


@one_core
def specification_curve(
    windows: pd.DataFrame,
    direction: Direction,
    reported: str,
    features: Mapping[str, str],
    windows_of_music: Sequence[str],
    centrings: Iterable[Centring] = CENTRINGS,
    minimum_plays: Sequence[int] = (1, 3, 5),
    time_controls: Sequence[bool] = (False, True),
    progress: Callable[[str], None] = lambda _: None,
) -> SpecificationCurve:
    """Window × feature (of each source) × centring × minimum of plays × control for time of day.

    ``person_mean``: deviations from the person's mean: the effect within persons. ``person_trend``: deviations from the
    person's own straight line over time, too. ``grand_mean``: nothing of the person is taken out, so that differences
    between persons and within them are mixed. Each is least squares with standard errors clustered by person; for
    ``person_mean`` it estimates the effect within persons of the mixed model.

    Args:
        windows: See ``rows.rows_of``.
        reported: Column of the report: the outcome, or (``report_to_music``) the predictor.
        features: Columns of the music, and for each the column that counts the plays with a value.
        windows_of_music: Values of ``emotion_window``.
        progress: Reports each window and feature, in a few words.
    """
    found = []
    for window, (feature, plays_column) in product(windows_of_music, features.items()):
        progress(f"specifications: {feature}, {window}")
        outcome, predictor = (reported, feature) if direction == "music_to_report" else (feature, reported)
        for plays in minimum_plays:
            question = Question(direction, outcome, predictor, window, plays, plays_column=plays_column)
            rows = rows_of(windows, question)
            for centring, control_time in product(centrings, time_controls):
                found.append(_specification(rows, question, feature, centring, control_time))
    found.sort(key=lambda one: (one.estimate is None, one.estimate.value if one.estimate else 0))
    return SpecificationCurve(reported, direction, tuple(found))


def _specification(
    rows: pd.DataFrame, question: Question, feature: str, centring: Centring, control_time: bool
) -> Specification:
    """One way to compute the effect, in standard deviations of what is left after centring."""

    def result(estimate: Interval | None, p: float | None, why: NoResult | None) -> Specification:
        persons = int(rows["participant_id"].nunique())
        return Specification(
            feature,
            question.window,
            centring,
            question.minimum_plays,
            control_time,
            estimate,
            p,
            len(rows),
            persons,
            why,
        )

    controls = controls_of(rows, replace(question, control_time=control_time))
    columns = pd.concat([rows[["y", "x"]], controls], axis=1)
    centred = _centred(columns, rows, centring)
    within, outcome_within = _deviations(rows, "x"), _deviations(rows, "y")
    if reason := why_not(rows, within, outcome_within, controls.shape[1] + 2):
        return result(None, None, reason)
    centred = centred / centred.std(ddof=0).where(lambda sd: sd > 0, 1.0)
    slope = clustered_slope(centred["y"], centred["x"], centred.drop(columns=["y", "x"]), rows["participant_id"])
    if slope is None:
        persons = int(rows["participant_id"].nunique())
        return result(None, None, NoResult("no_variation", f"Here {ENTIRELY}.", len(rows), persons))
    return result(Interval(slope.estimate, slope.low, slope.high), slope.p, None)


def _deviations(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows[column] - person_means(rows[column], rows["participant_id"])


def _centred(columns: pd.DataFrame, rows: pd.DataFrame, centring: Centring) -> pd.DataFrame:
    if centring == "grand_mean":
        return columns - columns.mean()
    persons = rows["participant_id"]
    centred = columns - columns.groupby(persons).transform("mean")
    if centring == "person_mean":
        return centred
    moments = pd.to_datetime(rows["reported_at_local"])
    days = (moments - moments.min()) / np.timedelta64(1, "D")
    days = days - person_means(days, persons)
    squares = (days**2).groupby(persons).transform("sum").where(lambda total: total > 0, 1.0)
    slopes = centred.mul(days, axis=0).groupby(persons).transform("sum").div(squares, axis=0)
    return centred - slopes.mul(days, axis=0)
