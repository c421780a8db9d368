"""A linear mixed model with an intercept of each person, and a slope where asked: restricted maximum likelihood.

The deviance is profiled as in lme4 (Bates and others 2015, doi:10.18637/jss.v067.i01, equation 41). statsmodels'
``MixedLM`` has the same likelihood, but its optimiser often stops beside the maximum where persons hardly differ in
their slopes, which is the usual case here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from statsmodels.tools.numdiff import approx_fprime, approx_hess3

Floats = NDArray[np.float64]
STARTS = (1.0, 0.1)  # the persons' standard deviations, in units of the residual's
NOTHING = 1e-10  # of the variance of the outcome: as little is left by rounding alone
FLAT = 1e-3  # largest slope of the deviance at a minimum; a thousand times what the optimiser asks for


@dataclass(frozen=True)
class MixedFit:
    """Estimates of ``y = fixed @ coefficients + random[person] + residual``.

    Attributes:
        coefficients: One for each column of ``fixed``.
        covariance: Their covariance matrix, (XᵀV⁻¹X)⁻¹.
        random_covariance: Of the persons' intercepts, and slopes if there are any.
        residual_variance: Of what is left.
        df: For each coefficient its degrees of freedom by Satterthwaite's approximation, as in lmerTest (Kuznetsova and
            others 2017, doi:10.18637/jss.v082.i13).
    """

    coefficients: Floats
    covariance: Floats
    df: Floats
    random_covariance: Floats
    residual_variance: float


def fit_mixed_model(y: Floats, fixed: Floats, slope: Floats | None, persons: NDArray[np.intp]) -> MixedFit | None:
    """Fit by restricted maximum likelihood.

    Intercept and slope of a person may be correlated. An estimated variance of zero is a result, not a failure.

    Args:
        y: Outcome, shape (n,).
        fixed: Columns of the fixed effects, with the constant, shape (n, k), of full rank.
        slope: The column whose slope differs by person, shape (n,); ``None`` for intercepts only.
        persons: A number for each row's person, 0 to m − 1.

    Returns:
        ``None`` if the optimisation did not converge, or if nothing is left of the outcome for the residual.
    """
    random = np.ones((len(y), 1)) if slope is None else np.column_stack([np.ones(len(y)), slope])
    # In units of standard deviations the optimiser finds its way, whatever the units of the columns are.
    y_unit = float(np.std(y))
    units, random_units = (np.where(one.std(axis=0) > 0, one.std(axis=0), 1.0) for one in (fixed, random))
    products = _products(y / y_unit, fixed / units, random / random_units, persons)
    found = [_optimum(products, start) for start in STARTS]
    converged = [one for one in found if one is not None]
    if not converged:
        return None
    theta = min(converged, key=lambda one: one[0])[1]
    root = _root(theta)
    at = _at(products, root)
    variance = at.squares / (len(y) - fixed.shape[1])
    if not variance > NOTHING:
        return None
    to_units = y_unit / units
    to_random = y_unit / random_units
    return MixedFit(
        coefficients=at.coefficients * to_units,
        covariance=variance * np.linalg.inv(at.information) * np.outer(to_units, to_units),
        df=_satterthwaite(products, theta, variance),
        random_covariance=variance * root @ root.T * np.outer(to_random, to_random),
        residual_variance=variance * y_unit**2,
    )


class _Products(NamedTuple):
    """All that the likelihood needs of the rows: sums of products, for each person those with the random effects."""

    rows: int
    of_random: Floats
    with_random: Floats
    of_fixed: Floats


class _At(NamedTuple):
    """Estimates for given variances of the random effects. ``squares``: penalised residual sum of squares."""

    deviance: float
    coefficients: Floats
    information: Floats
    squares: float


def _products(y: Floats, fixed: Floats, random: Floats, persons: NDArray[np.intp]) -> _Products:
    both = np.column_stack([fixed, y])
    m, q = int(persons.max()) + 1, random.shape[1]
    of_random, with_random = np.zeros((m, q, q)), np.zeros((m, q, both.shape[1]))
    np.add.at(of_random, persons, random[:, :, None] * random[:, None, :])
    np.add.at(with_random, persons, random[:, :, None] * both[:, None, :])
    return _Products(len(y), of_random, with_random, both.T @ both)


def _root(theta: Floats) -> Floats:
    """The Cholesky factor of the covariance of the random effects, in units of the residual variance."""
    return np.array([[theta[0]]]) if len(theta) == 1 else np.array([[theta[0], 0.0], [theta[1], theta[2]]])


def _at(products: _Products, root: Floats) -> _At:
    inner = np.eye(len(root)) + root.T @ products.of_random @ root
    cross = root.T @ products.with_random
    left = products.of_fixed - np.einsum("mqi,mqj->ij", cross, np.linalg.solve(inner, cross))
    information, with_y, of_y = left[:-1, :-1], left[:-1, -1], left[-1, -1]
    coefficients = np.linalg.solve(information, with_y)
    squares = float(of_y - with_y @ coefficients)
    free = products.rows - len(coefficients)
    determinants = np.linalg.slogdet(inner)[1].sum() + np.linalg.slogdet(information)[1]
    return _At(float(determinants + free * np.log(max(squares, 1e-300))), coefficients, information, squares)


def _optimum(products: _Products, start: float) -> tuple[float, Floats] | None:
    """Deviance and root at the minimum; ``None`` if it was not found."""
    theta = np.array([start] if products.of_random.shape[1] == 1 else [start, 0.0, start])
    try:
        # Without bounds: the signs of the root mean nothing, and at a bound of zero the deviance looks flat.
        found = minimize(
            lambda values: _at(products, _root(values)).deviance,
            theta,
            jac="3-point",
            method="L-BFGS-B",
            options={"ftol": 1e-13, "gtol": 1e-6, "maxiter": 500},
        )
    except np.linalg.LinAlgError:
        return None
    # The optimiser's own verdict is no use: at the minimum it may fail to get still lower.
    is_flat = np.isfinite(found.fun) and float(np.abs(found.jac).max()) < FLAT
    return (float(found.fun), found.x) if is_flat else None


def _satterthwaite(products: _Products, theta: Floats, variance: float) -> Floats:
    """2 v² / (gᵀ C g): v the variance of a coefficient, g its gradient by the variance parameters, C their covariance.

    C is twice the inverse Hessian matrix of the deviance. Where that is flat (a variance of zero), v does not depend on
    the parameter either, and it is left out.
    """
    free = products.rows - products.of_fixed.shape[0] + 1

    def deviance(values: Floats) -> float:
        at = _at(products, _root(values[:-1]))
        profiled = free * np.log(max(at.squares, 1e-300))
        return float(at.deviance - profiled + free * values[-1] + at.squares / np.exp(values[-1]))

    def variances(values: Floats) -> Floats:
        information = _at(products, _root(values[:-1])).information
        return np.asarray(np.exp(values[-1]) * np.diag(np.linalg.inv(information)))

    at = np.append(theta, np.log(variance))
    uncertainty = 2 * np.linalg.pinv(approx_hess3(at, deviance), rcond=1e-8, hermitian=True)
    gradient = approx_fprime(at, variances, centered=True)
    spread = np.einsum("ci,ij,cj->c", gradient, uncertainty, gradient)
    df = np.divide(2 * variances(at) ** 2, spread, out=np.full(len(spread), np.inf), where=spread > 0)
    return np.asarray(np.clip(df, 1, free))
