"""The mixed model: published estimates, a closed form, variances of zero."""

from __future__ import annotations

import numpy as np
import pytest

from consonance.report.statistics.mixed_model import MixedFit, fit_mixed_model

# sleepstudy (Belenky and others 2003): reaction time on ten days without enough sleep. The line of each of the 18
# persons (intercept, slope), and the squared deviations of all 180 values from those lines.
LINES = (
    (244.193, 21.765), (205.055, 2.262), (203.484, 6.115), (289.685, 3.008), (285.739, 5.266), (264.252, 9.567),
    (275.019, 9.142), (240.163, 12.253), (263.035, -2.881), (290.104, 19.026), (215.112, 13.494), (225.835, 19.504),
    (261.147, 6.433), (276.372, 13.567), (254.968, 11.348), (210.449, 18.056), (253.636, 9.188), (267.045, 11.298),
)  # fmt: skip
SQUARES = 94311.508
PERSONS, DAYS = np.repeat(np.arange(18), 10), np.tile(np.arange(10.0), 18)


def fitted(y: np.ndarray, slope: bool = True) -> MixedFit:
    fit = fit_mixed_model(y, np.column_stack([np.ones(180), DAYS]), DAYS if slope else None, PERSONS)
    assert fit is not None
    return fit


def test_sleepstudy_as_published() -> None:
    """Bates and others 2015, section 5.2. In a balanced study the persons' lines and the squares around them decide."""
    around = np.polynomial.legendre.legval(np.linspace(-1, 1, 10), [0, 0, 1])
    around -= np.polyval(np.polyfit(np.arange(10), around, 1), np.arange(10))
    around *= np.sqrt(SQUARES / 18 / (around**2).sum())
    lines = np.array(LINES)
    fit = fitted(lines[PERSONS, 0] + lines[PERSONS, 1] * DAYS + np.tile(around, 18))
    assert fit.coefficients == pytest.approx([251.405, 10.467], abs=6e-4)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx([6.825, 1.546], abs=6e-4)
    assert np.sqrt(np.diag(fit.random_covariance)) == pytest.approx([24.741, 5.922], abs=6e-4)
    assert fit.random_covariance[0, 1] / np.sqrt(np.prod(np.diag(fit.random_covariance))) == pytest.approx(
        0.066, abs=6e-4
    )
    assert np.sqrt(fit.residual_variance) == pytest.approx(25.592, abs=6e-4)
    assert fit.df == pytest.approx([17, 17], abs=0.01)  # Kuznetsova and others 2017


def test_a_balanced_study_has_a_closed_form() -> None:
    """Fixed effects are the means of the persons' own lines, their errors the standard deviations by the root of m."""
    random = np.random.default_rng(5)
    lines = np.column_stack([random.normal(250, 30, 18), random.normal(10, 7, 18)])
    y = lines[PERSONS, 0] + lines[PERSONS, 1] * DAYS + random.normal(0, 20, 180)
    own = np.array([np.polyfit(DAYS[:10], y[one == PERSONS], 1)[::-1] for one in range(18)])
    fit = fitted(y)
    assert fit.coefficients == pytest.approx(own.mean(axis=0), rel=1e-6)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(own.std(axis=0, ddof=1) / np.sqrt(18), rel=1e-4)


def test_without_differences_between_persons_it_is_least_squares() -> None:
    noise = np.random.default_rng(6).normal(size=(18, 10))
    y = 3 * DAYS + (noise - noise.mean(axis=1, keepdims=True)).ravel()
    fit = fitted(y, slope=False)
    assert fit.random_covariance[0, 0] == pytest.approx(0, abs=1e-8)
    design = np.column_stack([np.ones(180), DAYS])
    left = y - design @ np.linalg.lstsq(design, y)[0]
    expected = np.sqrt(np.diag(np.linalg.inv(design.T @ design)) * (left @ left) / 178)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(expected, rel=1e-6)
