"""Music and emotion within and between persons, in both directions: one linear mixed model for each question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from consonance.report.statistics.mixed_model import MixedFit, fit_mixed_model
from consonance.report.statistics.results import Association, Effect, Level, NoResult, Question, TimeControl
from consonance.report.statistics.rows import controls_of, names_of_controls, person_means, rows_of
from consonance.report.statistics.threads import one_core

MINIMUM_PERSONS = 5
CONFIDENCE = 0.95
DF_RULE = (
    "t distribution; degrees of freedom within persons by Satterthwaite's approximation, between persons m − l − 1 "
    "(m persons; l = 1 predictor of the person's level)"
)
ENTIRELY = "predictor and controls explain the outcome entirely"
FALLBACK = "The model with a slope for each person did not converge: this one has the same slope for everyone."


@one_core
def associate(windows: pd.DataFrame, question: Question) -> Association | NoResult:
    """Answer a question by a linear mixed model.

    ``y = a + w (x − x̄ₚ) + b x̄ₚ + controls + uₚ + vₚ (x − x̄ₚ) + e``: x̄ₚ is the person's mean of the predictor over the
    rows used, w the effect within and b the effect between persons (Mundlak 1978; Curran and Bauer 2011).

    Args:
        windows: See ``rows.rows_of``.
    """
    return _associate(rows_of(windows, question), question)


@one_core
def with_and_without_time(windows: pd.DataFrame, question: Question) -> TimeControl:
    """The same question without and with control for hour of day and weekend, on the same reports."""
    rows = rows_of(windows, question)
    without, with_control = (_associate(rows, replace(question, control_time=control)) for control in (False, True))
    return TimeControl(without_control=without, with_control=with_control)


def why_not(rows: pd.DataFrame, within: pd.Series, residuals: pd.Series, terms: int) -> NoResult | None:
    """Why rows do not suffice for an effect within persons, if so.

    Args:
        rows: With ``participant_id``, ``x`` and ``y``.
        within, residuals: Predictor and outcome around each person's mean.
        terms: How many coefficients the model has beside one for each person.
    """
    persons = rows["participant_id"].nunique()
    counts = {"reports": len(rows), "persons": persons}
    if rows.empty:
        return NoResult("no_rows", "No report has both values.", **counts)
    varied = rows.loc[within.abs() > 1e-9 * _size(rows["x"]), "participant_id"].nunique()
    if min(persons, varied or persons) < MINIMUM_PERSONS:
        return NoResult(
            "too_few_persons",
            f"Fewer than {MINIMUM_PERSONS} persons have reports at which the predictor differs.",
            **counts,
        )
    if not varied or residuals.abs().max() <= 1e-9 * _size(rows["y"]):
        which = "outcome" if varied else "predictor"
        return NoResult("no_variation", f"Within persons, the {which} never differs.", **counts)
    if len(rows) - persons - terms < MINIMUM_PERSONS:
        return NoResult("too_few_reports", "There are too few reports for each person.", **counts)
    return None


def interval_ends(estimate: float, error: float, df: float) -> tuple[float, float, float]:
    """Lower and upper end of the 95 % interval, and the p value of no effect, by the t distribution."""
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, df)) * error
    return estimate - half, estimate + half, float(2 * stats.t.sf(abs(estimate) / error, df))


def sd_within(deviations: pd.Series) -> float:
    """Standard deviation around each person's mean, given the deviations from it."""
    return float(np.sqrt((deviations**2).mean()))


def _size(values: pd.Series) -> float:
    return max(float(values.abs().max()), 1e-300)


def model_columns(rows: pd.DataFrame, question: Question) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The fixed effects: ``constant, within``, ``between`` if persons differ, and controls; and the kinds of controls."""
    persons = rows["participant_id"]
    mean = person_means(rows["x"], persons)
    columns = pd.DataFrame({"constant": np.ones(len(rows)), "within": rows["x"] - mean}, index=rows.index)
    one_each = mean[~persons.duplicated()]
    if one_each.std() > 1e-9 * _size(rows["x"]):
        columns["between"] = mean - one_each.mean()
    controls = controls_of(rows, question)
    return columns.join(controls), names_of_controls(controls)


def _associate(rows: pd.DataFrame, question: Question) -> Association | NoResult:
    persons = rows["participant_id"]
    m = int(persons.nunique())
    columns, controls = model_columns(rows, question)
    outcome_within = rows["y"] - person_means(rows["y"], persons)
    if reason := why_not(rows, columns["within"], outcome_within, columns.shape[1] - 1):
        return reason

    y, fixed, within = (values.to_numpy(float) for values in (rows["y"], columns, columns["within"]))
    codes = pd.factorize(persons)[0]
    fit = fit_mixed_model(y, fixed, within, codes)
    random_slope = fit is not None
    fit = fit or fit_mixed_model(y, fixed, None, codes)
    if fit is None:
        return NoResult("not_converged", f"The mixed model did not converge, or {ENTIRELY}.", len(rows), m)

    between: Effect | NoResult = NoResult(
        "no_variation", "All persons have the same mean of the predictor.", len(rows), m
    )
    if "between" in columns:
        means = columns["between"][~persons.duplicated()]
        between = _effect(fit, 2, "between", m - 2, float(means.std()), float(rows["y"].groupby(persons).mean().std()))
    return Association(
        question=question,
        within=_effect(fit, 1, "within", float(fit.df[1]), sd_within(columns["within"]), sd_within(outcome_within)),
        between=between,
        reports=len(rows),
        persons=m,
        random_slope=random_slope,
        fallback=None if random_slope else FALLBACK,
        slope_sd=float(np.sqrt(fit.random_covariance[1, 1])) if random_slope else None,
        intercept_sd=float(np.sqrt(fit.random_covariance[0, 0])),
        residual_sd=float(np.sqrt(fit.residual_variance)),
        controls=controls,
        df_rule=DF_RULE,
    )


def _effect(fit: MixedFit, column: int, level: Level, df: float, predictor_sd: float, outcome_sd: float) -> Effect:
    estimate, error = float(fit.coefficients[column]), float(np.sqrt(fit.covariance[column, column]))
    low, high, p = interval_ends(estimate, error, df)
    return Effect(level, estimate, error, df, low, high, p, predictor_sd, outcome_sd)
