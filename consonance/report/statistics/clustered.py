"""A slope with standard errors that allow for anything within a person: repeats, trends, slopes that differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import statsmodels.api as sm

from consonance.report.statistics.association import interval_ends


@dataclass(frozen=True)
class Slope:
    """A slope with its standard error clustered by person, and interval and p value with m − 1 degrees of freedom."""

    estimate: float
    standard_error: float
    df: float
    low: float
    high: float
    p: float


def clustered_slope(y: pd.Series, x: pd.Series, controls: pd.DataFrame, persons: pd.Series) -> Slope | None:
    """Least squares of ``y`` on ``x`` and controls; the standard error by clusters of persons.

    All are taken as they are: centre them before (an intercept for each person is a centring by person, Mundlak 1978).
    ``None`` if they explain ``y`` entirely: then there is no error to tell from.
    """
    exog = np.column_stack([x, controls]).astype(float)
    groups = pd.factorize(persons)[0]
    fit = sm.OLS(y.to_numpy(float), exog).fit(cov_type="cluster", cov_kwds={"groups": groups}, use_t=True)
    estimate, error, df = float(fit.params[0]), float(fit.bse[0]), float(groups.max())
    if not error > 1e-9 * y.std() / x.std():
        return None
    low, high, p = interval_ends(estimate, error, df)
    return Slope(estimate, error, df, low, high, p)
