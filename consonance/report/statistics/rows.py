"""The rows that a question is answered with, from the windows of the marts: one row is one report."""

from __future__ import annotations

import numpy as np
import pandas as pd

from consonance.report.statistics.results import Question

HARMONICS = 3
KEY = ["participant_id", "instrument", "report_id"]


def rows_of(windows: pd.DataFrame, question: Question) -> pd.DataFrame:
    """The reports that can answer a question.

    Args:
        windows: One row per report and window. Columns: ``participant_id, report_id, instrument, reported_at_local,
            emotion_window``, the two columns of the question, and its ``plays_column``. Reports without music must
            be in it, too: they are the previous report of another one.

    Returns:
        ``participant_id, instrument, reported_at_local``, ``y`` (outcome), ``x`` (predictor), and ``previous`` if the
        question controls for it. Rows without one of these values are left out.
    """
    chosen = windows[windows["emotion_window"] == question.window]
    if question.direction == "music_to_report":
        rows = chosen.assign(y=chosen[question.outcome], x=chosen[question.predictor])
        rows = rows[rows["y"].notna()]
        in_time = rows.sort_values(["participant_id", "instrument", "reported_at_local", "report_id"])
        rows = rows.assign(previous=in_time.groupby(["participant_id", "instrument"])["y"].shift())
        rows = rows[rows[question.plays_column] >= question.minimum_plays]
    else:
        before = windows[windows["emotion_window"] == question.window.replace("after_", "before_")]
        rows = chosen.assign(y=chosen[question.outcome], x=chosen[question.predictor])
        rows = rows[rows[question.plays_column] >= question.minimum_plays]
        if question.control_previous:
            before = before[before[question.plays_column] >= question.minimum_plays]
            earlier = before[[*KEY, question.outcome]].rename(columns={question.outcome: "previous"})
            rows = rows.merge(earlier, on=KEY, how="inner")
    values = ["y", "x", *(["previous"] if question.control_previous else [])]
    rows = rows[["participant_id", "instrument", "reported_at_local", *values]].dropna()
    return rows.astype(dict.fromkeys(values, float)).reset_index(drop=True)


def person_means(values: pd.Series, persons: pd.Series) -> pd.Series:
    """For each row the mean of its person."""
    return values.groupby(persons).transform("mean")


def time_columns(moments: pd.Series) -> pd.DataFrame:
    """Hour of day as three pairs of sine and cosine (periods 24, 12 and 8 hours), and whether it is the weekend."""
    moments = pd.to_datetime(moments)
    angle = 2 * np.pi * (moments.dt.hour + moments.dt.minute / 60) / 24
    columns = {
        f"hour_{name}_{n}": wave(n * angle)
        for n in range(1, HARMONICS + 1)
        for name, wave in (("sin", np.sin), ("cos", np.cos))
    }
    return pd.DataFrame(columns | {"weekend": (moments.dt.day_of_week >= 5).astype(float)}, index=moments.index)


def controls_of(rows: pd.DataFrame, question: Question) -> pd.DataFrame:
    """What the model holds constant, as columns without those that say nothing new.

    The previous value is taken from the person's own mean: it explains changes within persons and leaves the differences
    between persons where they are (Curran and Bauer 2011). Instruments differ by a constant.
    """
    columns = pd.DataFrame(index=rows.index)
    if question.control_previous:
        columns["previous"] = rows["previous"] - person_means(rows["previous"], rows["participant_id"])
    instruments = sorted(rows["instrument"].unique())
    for instrument in instruments[1:]:
        columns[f"instrument_{instrument}"] = (rows["instrument"] == instrument).astype(float)
    if question.control_time:
        columns = columns.join(time_columns(rows["reported_at_local"]))
    return independent(columns)


def names_of_controls(columns: pd.DataFrame) -> tuple[str, ...]:
    """``previous``, ``instrument``, ``hour``, ``weekend``: the kinds of controls among the columns."""
    return tuple(dict.fromkeys(str(column).split("_")[0] for column in columns))


def independent(columns: pd.DataFrame) -> pd.DataFrame:
    """The columns that are no linear combination of a constant and those before them."""
    kept: list[str] = []
    basis = np.ones((len(columns), 1)) / np.sqrt(max(len(columns), 1))
    for name in columns:
        column = columns[name].to_numpy()
        rest = column - basis @ (basis.T @ column)
        length = float(np.linalg.norm(rest))
        if length > 1e-6 * max(float(np.linalg.norm(column)), 1e-300):
            basis = np.column_stack([basis, rest / length])
            kept.append(name)
    return columns[kept]
