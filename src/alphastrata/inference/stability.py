"""Stability of alphas and betas: Chow's test and two CUSUM tests."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, EstimationError, InputDataError
from alphastrata.inference.hac import HAC, LagRule, as_hac
from alphastrata.inference.least_squares import coefficient_covariance, fit_complete
from alphastrata.inference.samples import (
    Returns,
    Sample,
    align,
    coefficient_names,
    describe_dates,
)
from alphastrata.inference.tails import chi2_upper, f_upper, two_sided

__all__ = ["StabilityResult", "break_at", "chow", "cusum"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class StabilityResult(Result):
    """Tests that coefficients do not change, one row per asset.

    Attributes
    ----------
    tests : DataFrame
        Statistics and p-values by asset.
    params, std_errors, tstats, pvalues : DataFrame
        For Chow's test the change of each coefficient at the break (after less before); for
        CUSUM tests the statistics themselves, without errors.
    """

    tests: pd.DataFrame
    params: pd.DataFrame
    std_errors: pd.DataFrame
    tstats: pd.DataFrame
    pvalues: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return statistics and p-values by asset."""
        return self.tests

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def chow(
    returns: Returns,
    factors: Returns,
    break_date: str | pd.Timestamp,
    *,
    lags: int | LagRule | HAC = 6,
) -> StabilityResult:
    """Return tests that alpha and betas are the same before and from a known date on.

    Parameters
    ----------
    returns, factors
        As in `time_series`; dates on which a return is missing are left out for all assets.
    break_date : date
        First date of the second regime.
    lags : int, rule or HAC
        For the robust version.

    Returns
    -------
    StabilityResult
        Per asset: Chow's F (exact under normal homoskedastic errors) and the HAC Wald test of
        the same restrictions.

    Raises
    ------
    ConfigError
        If the break is no date.
    InputDataError
        If either side has no more dates than coefficients.

    Notes
    -----
    R_t = x_t' b + D_t x_t' d + e_t with D_t = 1 from the break on; the null is d = 0. A break
    date found by looking at the data makes both tests reject too often.

    Source: Chow (1960).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=200, freq="ME")
    >>> market = pd.DataFrame({"m": rng.normal(size=200)}, index=dates)
    >>> beta = np.where(dates < "2008-01-01", 1.0, 2.0)
    >>> asset = pd.DataFrame({"A": beta * market["m"] + rng.normal(size=200)}, index=dates)
    >>> bool(chow(asset, market, "2008-01-01").tests.loc["A", "F p"] < 0.01)
    True
    """
    hac = as_hac(lags)
    first = break_at(break_date)
    sample = align(returns, factors).complete()
    after = (sample.returns.index >= first).astype(np.float64)
    x, y = sample.x, sample.y
    n, k = x.shape
    if min(after.sum(), n - after.sum()) <= k:
        raise InputDataError(
            f"Both sides of the break need more than {k} dates; got {int(n - after.sum())} before "
            f"and {int(after.sum())} from {first.date()} on."
        )
    both = np.column_stack([x, x * after[:, None]])
    plain = fit_complete(x, y, covariance="nonrobust")
    split = fit_complete(both, y, covariance="nonrobust")
    f = ((plain.ssr - split.ssr) / k) / (split.ssr / (n - 2 * k))
    wald, errors = np.empty(y.shape[1]), np.empty((y.shape[1], k))
    for i in range(y.shape[1]):
        covariance = coefficient_covariance(both, split.residuals[:, i], hac)[k:, k:]
        change = split.params[k:, i]
        wald[i] = change @ np.linalg.solve(covariance, change)
        errors[i] = np.sqrt(np.diag(covariance))
    assets = pd.Index(sample.returns.columns, name="asset")
    tests = pd.DataFrame(
        {
            "F": f,
            "F p": [f_upper(v, k, n - 2 * k) for v in f],
            "Wald": wald,
            "Wald p": [chi2_upper(v, k) for v in wald],
        },
        index=assets,
    )
    names = pd.Index(coefficient_names("alpha", sample.factors.columns), name="coefficient")
    params = pd.DataFrame(split.params[k:].T, assets, names)
    std_errors = pd.DataFrame(errors, assets, names)
    tstats = params / std_errors
    return StabilityResult(
        tests=tests,
        params=params,
        std_errors=std_errors,
        tstats=tstats,
        pvalues=pd.DataFrame(
            two_sided(tstats, n - 2 * k if hac.small_sample else None), assets, names
        ),
        lines=(
            f"F: F({k}, {n - 2 * k}), homoskedastic errors; Wald: chi2({k}), {hac.describe()}.",
            "Null: alpha and betas are the same before and after.",
        ),
        title=_title(f"Chow test at {first.date()}", sample),
        notes=sample.notes,
    )


def cusum(returns: Returns, factors: Returns) -> StabilityResult:
    """Return CUSUM tests that alpha and betas never change, with no break date given.

    Parameters
    ----------
    returns, factors
        As in `time_series`; dates on which a return is missing are left out for all assets.

    Returns
    -------
    StabilityResult
        Per asset: "OLS" is the largest absolute partial sum of least-squares residuals over
        s sqrt(T), with the p-value of the supremum of a Brownian bridge (Ploberger and Krämer
        1992); "recursive" the largest ratio of the CUSUM of recursive residuals to the line
        1 + 2 r / (T - k) (Brown, Durbin and Evans 1975), whose 5% critical value is 0.948.

    Notes
    -----
    Both assume homoskedastic errors without autocorrelation. The OLS version has little power
    against a break in betas when factors average zero; the recursive one against late breaks.
    """
    sample = align(returns, factors).complete()
    x, y = sample.x, sample.y
    n, k = x.shape
    fit = fit_complete(x, y, covariance="nonrobust")
    path = fit.residuals.cumsum(axis=0) / np.sqrt(fit.ssr / (n - k) * n)
    ols = np.abs(path).max(axis=0)
    residuals = recursive_residuals(x, y)
    steps = np.arange(1, n - k + 1)
    deviation = residuals - residuals.mean(axis=0)
    sigma = np.sqrt((deviation**2).sum(axis=0) / (n - k - 1))
    walk = residuals.cumsum(axis=0) / (sigma * np.sqrt(n - k))
    recursive = np.abs(walk / (1.0 + 2.0 * steps / (n - k))[:, None]).max(axis=0)
    assets = pd.Index(sample.returns.columns, name="asset")
    tests = pd.DataFrame(
        {
            "OLS": ols,
            "OLS p": [brownian_bridge_supremum(v) for v in ols],
            "recursive": recursive,
            "recursive p": [_recursive_pvalue(v) for v in recursive],
        },
        index=assets,
    )
    values = tests[["OLS", "recursive"]]
    missing = values * np.nan
    return StabilityResult(
        tests=tests,
        params=values,
        std_errors=missing,
        tstats=missing,
        pvalues=tests[["OLS p", "recursive p"]].set_axis(values.columns, axis=1),
        lines=(
            "OLS: supremum of a Brownian bridge; recursive: lines of Brown, Durbin and Evans "
            "(1975).",
            "Null: alpha and betas are constant.",
        ),
        title=_title("CUSUM tests", sample),
        notes=sample.notes,
    )


def recursive_residuals(x: Array, y: Array) -> Array:
    """Return standardised one-step-ahead prediction errors, shape (T - k, N).

    Raises
    ------
    EstimationError
        If the first k rows of x are collinear.
    """
    n, k = x.shape
    if np.linalg.cond(x[:k]) > 1e12:
        raise EstimationError(
            "Recursive residuals need regressors that are not collinear on the first dates. "
            "Begin the sample later."
        )
    inverse = np.linalg.inv(x[:k].T @ x[:k])
    beta = np.linalg.solve(x[:k], y[:k])
    out = np.empty((n - k, y.shape[1]))
    for t in range(k, n):
        gain = inverse @ x[t]
        spread = 1.0 + x[t] @ gain
        error = y[t] - x[t] @ beta
        out[t - k] = error / np.sqrt(spread)
        beta = beta + np.outer(gain, error) / spread
        inverse = inverse - np.outer(gain, gain) / spread
    return out


def brownian_bridge_supremum(value: float) -> float:
    """Return P(sup |B(t)| > value) of a Brownian bridge (Kolmogorov's distribution)."""
    if value <= 0.2:
        return 1.0
    j = np.arange(1, 101)
    return float(np.clip(2.0 * np.sum((-1.0) ** (j + 1) * np.exp(-2.0 * (j * value) ** 2)), 0, 1))


def _recursive_pvalue(value: float) -> float:
    """Return the p-value of a Brownian motion crossing value * (1 + 2 r), twice one side."""
    # Durbin (1971): the chance of crossing the line a + 2 a r on [0, 1]; doubled for two sides.
    one = 1.0 - ndtr(3.0 * value) + np.exp(-4.0 * value**2) * ndtr(value)
    return float(min(2.0 * one, 1.0))


def break_at(given: str | pd.Timestamp) -> pd.Timestamp:
    """Return the first date of the second regime.

    Raises
    ------
    ConfigError
        If it is no date.
    """
    problem = f"break_date is a date, such as 2008-09-30; got {given!r}."
    try:
        read = pd.Timestamp(given)
    except (TypeError, ValueError) as error:
        raise ConfigError(problem) from error
    if pd.isna(read):
        raise ConfigError(problem)
    return read


def _title(what: str, sample: Sample) -> str:
    words = describe_dates(sample.returns.index, sample.freq)
    return f"{what}, factors {', '.join(sample.factors.columns)} ({words})"
