"""What is missing not at random: prompts without an answer in some moods, music without values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from consonance.report.statistics.association import ENTIRELY, MINIMUM_PERSONS, interval_ends, sd_within, why_not
from consonance.report.statistics.clustered import clustered_slope
from consonance.report.statistics.results import AnswersByMood, Effect, FlagDifference, Interval, NoResult
from consonance.report.statistics.rows import independent, person_means, time_columns
from consonance.report.statistics.threads import one_core


@one_core
def answers_by_mood(prompts: pd.DataFrame, reported: str = "valence") -> AnswersByMood | NoResult:
    """Whether a person's prompts are answered less often in bad mood.

    The mood at a prompt without answer is not known. It is taken from the person's other reports of the same day (of an
    answered prompt, too, only the others count). Where too few days have two prompts, it is the previous report.
    A linear probability model with an intercept for each person, hour and weekend; standard errors clustered by person.

    Args:
        prompts: One row per prompt: ``participant_id, prompt_id, prompted_at_local, status`` (``answered`` or not), and
            the value reported (empty where there is none).
    """
    prompts = prompts[prompts["prompted_at_local"].notna()]
    prompts = prompts.sort_values(["participant_id", "prompted_at_local", "prompt_id"]).reset_index(drop=True)
    value, persons = prompts[reported].astype(float), prompts["participant_id"]
    days = [persons, pd.to_datetime(prompts["prompted_at_local"]).dt.date]
    others = value.groupby(days).transform("count") - value.notna()
    of_others = (value.groupby(days).transform("sum") - value.fillna(0.0)) / others.where(others > 0)
    found = _answers(prompts, of_others, reported, "same_day")
    if isinstance(found, AnswersByMood):
        return found
    return _answers(
        prompts, value.groupby(persons).transform(lambda own: own.shift().ffill()), reported, "previous_report"
    )


def _answers(
    prompts: pd.DataFrame, mood: pd.Series, reported: str, mood_from: Literal["same_day", "previous_report"]
) -> AnswersByMood | NoResult:
    answered = (prompts["status"] == "answered").astype(float)
    rows = prompts.assign(x=mood, y=answered)[["participant_id", "prompted_at_local", "x", "y"]].dropna()
    persons = rows["participant_id"]
    within, y = (rows[name] - person_means(rows[name], persons) for name in ("x", "y"))
    time = independent(time_columns(rows["prompted_at_local"]))
    if reason := why_not(rows, within, y, time.shape[1] + 1):
        return reason
    slope = clustered_slope(y, within, time - time.groupby(persons).transform("mean"), persons)
    if slope is None:
        return NoResult("no_variation", f"Here {ENTIRELY}.", len(rows), int(persons.nunique()))
    effect = Effect(
        level="within",
        estimate=slope.estimate,
        standard_error=slope.standard_error,
        df=slope.df,
        low=slope.low,
        high=slope.high,
        p=slope.p,
        predictor_sd=sd_within(within),
        outcome_sd=sd_within(y),
    )
    return AnswersByMood(reported, mood_from, effect, float(rows["y"].mean()), len(rows), int(persons.nunique()))


def compare_flagged(
    rows: pd.DataFrame, flag: str, characteristics: Sequence[str]
) -> tuple[FlagDifference | NoResult, ...]:
    """How flagged rows differ from the same person's others: plays that have a value, reports after music with values.

    Each person with both kinds of rows gives one difference for each characteristic; the interval is that of their mean
    (t distribution, m − 1 degrees of freedom). p values are corrected by Holm for all characteristics.

    Args:
        rows: ``participant_id``, the flag (truth values) and the characteristics (numbers or truth values).

    Returns:
        One for each characteristic, in their order.
    """
    found = [_compare(rows, flag, characteristic) for characteristic in characteristics]
    tested = [one for one in found if isinstance(one, FlagDifference)]
    adjusted = iter(multipletests([one.p for one in tested], method="holm")[1] if tested else ())
    return tuple(
        replace(one, p_adjusted=float(next(adjusted))) if isinstance(one, FlagDifference) else one for one in found
    )


def _compare(rows: pd.DataFrame, flag: str, characteristic: str) -> FlagDifference | NoResult:
    known = rows[["participant_id", flag, characteristic]].dropna()
    known = known.assign(value=known[characteristic].astype(float), flagged=known[flag].astype(bool))
    means = (
        known.groupby(["participant_id", "flagged"])["value"].mean().unstack().reindex(columns=[True, False]).dropna()
    )
    persons = len(means)
    used = known[known["participant_id"].isin(means.index)]
    if used.empty:
        return NoResult("no_rows", "No person has rows of both kinds.")
    if persons < MINIMUM_PERSONS:
        why = f"Fewer than {MINIMUM_PERSONS} persons have rows of both kinds."
        return NoResult("too_few_persons", why, len(used), persons)
    differences = means[True] - means[False]
    estimate, error = float(differences.mean()), float(differences.std() / np.sqrt(persons))
    spread = sd_within(used["value"] - person_means(used["value"], used["participant_id"]))
    if not error > 1e-12 * max(abs(estimate), spread) or not spread > 0:
        return NoResult(
            "no_variation", f"Persons do not differ in the difference of {characteristic}.", len(used), persons
        )
    low, high, p = interval_ends(estimate, error, persons - 1)
    return FlagDifference(
        characteristic=characteristic,
        flagged=float(used.loc[used["flagged"], "value"].mean()),
        others=float(used.loc[~used["flagged"], "value"].mean()),
        within=Interval(estimate, low, high),
        standardised=estimate / spread,
        p=p,
        p_adjusted=p,
        rows=len(used),
        persons=persons,
    )
