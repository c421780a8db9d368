"""What this sample could have found."""

from __future__ import annotations

from scipy import stats

from consonance.report.statistics.results import Effect, SmallestEffect


def smallest_effect(effect: Effect, power: float = 0.8, alpha: float = 0.05) -> SmallestEffect:
    """The smallest effect that a two-sided test finds with the given power, from standard error and degrees of freedom.

    (t(1 − alpha/2) + t(power)) × standard error (Bloom 1995, doi:10.1177/0193841X9501900504). It is a property of the
    sample: it does not use the estimate.
    """
    multiple = stats.t.ppf(1 - alpha / 2, effect.df) + stats.t.ppf(power, effect.df)
    smallest = float(multiple * effect.standard_error)
    per_sd = smallest * effect.predictor_sd
    return SmallestEffect(effect.level, smallest, per_sd, per_sd / effect.outcome_sd, power, alpha)
