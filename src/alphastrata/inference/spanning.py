"""Spanning tests: whether a new factor adds anything to those that are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Statistic
from alphastrata.core.factors import FactorReturns
from alphastrata.errors import EstimationError, InputDataError
from alphastrata.inference.britten_jones import britten_jones_f
from alphastrata.inference.grs import (
    grs_statistic,
    max_squared_sharpe,
    require_dates,
    require_unspanned,
    solve_covariance,
)
from alphastrata.inference.hac import HAC, LagRule, as_hac, long_run_covariance, select_bandwidth
from alphastrata.inference.joint import alpha_covariance, stacked_scores
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.samples import Returns, align, describe_dates
from alphastrata.inference.tails import chi2_upper, f_upper
from alphastrata.inference.time_series import TimeSeriesResult, time_series

__all__ = [
    "SpanningResult",
    "huberman_kandel",
    "spanning",
    "spanning_statistics",
]

Array = NDArray[np.float64]
Rows = dict[str, tuple[float, float, str, str]]
"""Statistic, p-value, distribution and null hypothesis by name of a test."""


@dataclass(frozen=True, repr=False)
class SpanningResult(TimeSeriesResult):
    """Regressions of new factors on old ones, with joint tests.

    Attributes
    ----------
    tests : DataFrame
        One row per test: "statistic", "p", "distribution" and "null".
    sharpe : Series
        Maximal squared Sharpe ratios (per period) of the old factors, of all, and the gain.
    lines : tuple of str
        Conventions of the tests.
    """

    tests: pd.DataFrame = field(default_factory=pd.DataFrame)
    sharpe: pd.Series = field(default_factory=pd.Series)
    lines: tuple[str, ...] = ()

    def statistics(self) -> Sequence[Statistic]:
        """Return every joint test."""
        return tuple(
            Statistic(str(n), row["statistic"], row["p"], row["null"], row["distribution"])
            for n, row in self.tests.iterrows()
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        listed = ", ".join(f"{name} = {value:.4f}" for name, value in self.sharpe.items())
        return [*([listed] if listed else []), *self.lines, *super().conventions()]


def spanning(
    returns: Returns, factors: Returns, *, lags: int | LagRule | HAC = 6
) -> SpanningResult:
    """Return whether the alphas of new zero-cost factors on old ones are zero.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        N new factors: zero-cost or excess returns.
    factors : FactorReturns, DataFrame or Series
        K old factors.
    lags : int, rule or HAC
        Newey-West errors.

    Returns
    -------
    SpanningResult
        The regressions; GRS F, the F of Britten-Jones (1999), which equals it, and a HAC Wald
        test; maximal squared Sharpe ratios with and without the new factors.

    Notes
    -----
    For zero-cost returns the old factors span the new ones if and only if the alphas are zero:
    then the maximal squared Sharpe ratio of all is that of the old ones (Gibbons, Ross and
    Shanken 1989; Barillas and Shanken 2017). Returns that cost money are tested by
    `huberman_kandel`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=240, freq="ME")
    >>> old = pd.DataFrame(rng.normal(0.005, 0.04, (240, 2)), dates, ["a", "b"])
    >>> new = (0.5 * old["a"] + rng.normal(0.01, 0.02, 240)).rename("new")
    >>> bool(spanning(new, old).tests.loc["GRS", "p"] < 0.01)
    True
    """
    hac = as_hac(lags)
    sample = align(returns, factors).complete()
    (n, n_new), k = sample.y.shape, sample.factors.shape[1]
    require_dates(n, n_new, k)
    fit = fit_complete(sample.x, sample.y, covariance="nonrobust")
    names = [str(name) for name in sample.returns.columns]
    require_unspanned(fit.residuals, sample.y, names)
    result = time_series(sample.returns, sample.factors, lags=hac)
    f_value = grs_statistic(sample.x, sample.y, names=names)
    bj = britten_jones_f(sample.f, sample.y)
    covariance = alpha_covariance(sample.x, fit.residuals, hac)
    robust = float(fit.params[0] @ solve_covariance(covariance, fit.params[0]))
    exact = f"F({n_new}, {n - n_new - k})"
    tests = pd.DataFrame(
        {
            "statistic": [f_value, bj, robust],
            "p": [
                f_upper(f_value, n_new, n - n_new - k),
                f_upper(bj, n_new, n - n_new - k),
                chi2_upper(robust, n_new),
            ],
            "distribution": [exact, exact, f"chi2({n_new})"],
            "null": "alphas are zero: the old factors span the new",
        },
        index=pd.Index(["GRS", "Britten-Jones", "Wald HAC"], name="test"),
    )
    old = max_squared_sharpe(sample.f)
    both = max_squared_sharpe(np.column_stack([sample.f, sample.y]))
    sharpe = pd.Series({"Sh2(old)": old, "Sh2(all)": both, "gain": both - old})
    words = describe_dates(sample.returns.index, sample.freq)
    return _extended(
        result,
        tests,
        f"Spanning of {', '.join(sample.returns.columns)} by "
        f"{', '.join(sample.factors.columns)} ({words})",
        sharpe=sharpe,
        lines=("Squared Sharpe ratios per period, covariance by T.",),
        notes=sample.notes,
    )


def huberman_kandel(
    returns: Returns, benchmarks: Returns, *, lags: int | LagRule | HAC = 6
) -> SpanningResult:
    """Return mean-variance spanning tests for returns that cost money (total returns).

    Parameters
    ----------
    returns : FactorReturns of kind "total", or DataFrame or Series of total returns
        N test assets.
    benchmarks : likewise
        K benchmark assets.
    lags : int, rule or HAC
        For the robust versions.

    Returns
    -------
    SpanningResult
        Exact F, LR, Wald and LM tests of alpha = 0 and delta = 1 - beta 1 = 0; the step-down
        F1 (alpha = 0: tangency portfolios) and F2 (delta = 0 given alpha = 0: minimum-variance
        portfolios); HAC Wald versions of the joint test and of both parts.

    Raises
    ------
    InputDataError
        For FactorReturns that are excess or zero-cost: spanning in this sense needs returns.
    EstimationError
        If there are too few dates.

    Notes
    -----
    With Theta = (alpha, delta)', G = A (X'X/T)^-1 A' and H = Theta Sigma^-1 Theta', the tests
    are functions of the eigenvalues of H G^-1. Source: Huberman and Kandel (1987); Kan and Zhou
    (2012, equations 16 to 47).
    """
    hac = as_hac(lags)
    given = ((returns, "returns"), (benchmarks, "benchmarks"))
    frames = [_total(data, what) for data, what in given]
    sample = align(frames[0], frames[1]).complete()
    x, y = sample.x, sample.y
    (n, n_assets), k = y.shape, x.shape[1] - 1
    if n - k - n_assets < 1:
        raise EstimationError(
            f"Spanning tests need T > N + K; got T = {n}, N = {n_assets}, K = {k}. Use fewer, "
            "broader portfolios or a longer sample."
        )
    fit = fit_complete(x, y, covariance="nonrobust")
    names = [str(name) for name in sample.returns.columns]
    require_unspanned(fit.residuals, y, names)
    tests = pd.DataFrame.from_dict(
        spanning_statistics(x, y, hac, names=names),
        orient="index",
        columns=["statistic", "p", "distribution", "null"],
    ).rename_axis("test")
    result = time_series(sample.returns, sample.factors, lags=hac)
    words = describe_dates(sample.returns.index, sample.freq)
    return _extended(
        result,
        tests,
        f"Huberman-Kandel spanning of {', '.join(sample.returns.columns)} by "
        f"{', '.join(sample.factors.columns)} ({words})",
        lines=("F tests exact under normal homoskedastic errors; covariance by T.",),
        notes=sample.notes,
    )


def spanning_statistics(
    x: Array, y: Array, hac: HAC, *, names: Sequence[str] | None = None
) -> Rows:
    """Return every mean-variance spanning test of total returns, as `huberman_kandel` shows them.

    Parameters
    ----------
    x : ndarray, shape (T, K + 1)
        A column of ones and the benchmark returns.
    y : ndarray, shape (T, N)
        Test assets.
    hac : HAC
        For the robust versions.
    names : sequence of str, optional
        What a message calls the assets.

    Returns
    -------
    dict of str to tuple
        Statistic, p-value, distribution and null hypothesis, by name of the test.
    """
    fit = fit_complete(x, y, covariance="nonrobust")
    contrast = np.zeros((2, x.shape[1]))
    contrast[0, 0], contrast[1, 1:] = 1.0, -1.0
    theta = contrast @ fit.params + np.array([[0.0], [1.0]])
    solve_covariance(fit.residuals.T @ fit.residuals, theta[0], names)  # refuses, by name
    exact = _exact_tests(x, y, theta, contrast, fit.residuals)
    return exact | _robust(x, fit.residuals, theta, hac)


def _total(data: Returns, what: str) -> Returns:
    if isinstance(data, FactorReturns):
        if data.kind != "total":
            raise InputDataError(
                f"Huberman-Kandel spanning needs total returns; the {what} are {data.kind}. "
                "Test zero-cost or excess returns with spanning()."
            )
        return data.frame
    return data


def _log_determinant(matrix: Array) -> float:
    return float(np.linalg.slogdet(matrix)[1])


def _exact_tests(x: Array, y: Array, theta: Array, contrast: Array, residuals: Array) -> Rows:
    (n, m), k = y.shape, x.shape[1] - 1
    sigma = residuals.T @ residuals / n
    g = contrast @ np.linalg.inv(x.T @ x / n) @ contrast.T
    h = theta @ solve_covariance(sigma, theta.T)
    eigen = np.linalg.eigvals(h @ np.linalg.inv(g)).real
    free = n - k - m
    if m == 1:
        f, df1, df2 = (np.prod(1 + eigen) - 1) * free / 2, 2, free
    else:
        f, df1, df2 = (np.sqrt(np.prod(1 + eigen)) - 1) * free / m, 2 * m, 2 * free
    # Restricted residual covariances: alpha = 0, then delta = 0 as well.
    no_alpha = y - x[:, 1:] @ np.linalg.lstsq(x[:, 1:], y, rcond=None)[0]
    last = x[:, -1:]
    spread, target = x[:, 1:-1] - last, y - last
    if k > 1:
        target = target - spread @ np.linalg.lstsq(spread, target, rcond=None)[0]
    logs = [_log_determinant(e.T @ e / n) for e in (residuals, no_alpha, target)]
    f1 = free / m * np.expm1(logs[1] - logs[0])
    f2 = (free + 1) / m * np.expm1(logs[2] - logs[1])
    both = "alpha = 0 and beta sums to 1"
    chi2 = f"chi2({2 * m})"
    lr, wald = n * np.log1p(eigen).sum(), n * eigen.sum()
    lm = n * (eigen / (1 + eigen)).sum()
    return {
        "F": (float(f), f_upper(f, df1, df2), f"F({df1}, {df2})", both),
        "LR": (lr, chi2_upper(lr, 2 * m), chi2, both),
        "Wald": (wald, chi2_upper(wald, 2 * m), chi2, both),
        "LM": (lm, chi2_upper(lm, 2 * m), chi2, both),
        "step-down F1": (f1, f_upper(f1, m, free), f"F({m}, {free})", "alpha = 0"),
        "step-down F2": (
            f2,
            f_upper(f2, m, free + 1),
            f"F({m}, {free + 1})",
            "beta sums to 1, given alpha = 0",
        ),
    }


def _robust(x: Array, residuals: Array, theta: Array, hac: HAC) -> Rows:
    n, m = residuals.shape
    bread = np.linalg.inv(x.T @ x)
    pick = np.vstack([bread[0], -bread[1:].sum(axis=0)])
    influence = np.hstack([(x @ row)[:, None] * residuals for row in pick])
    scores = stacked_scores(x, residuals) if isinstance(hac.lags, str) else influence
    bandwidth = select_bandwidth(scores, hac.lags, hac.kernel)
    covariance = long_run_covariance(influence, bandwidth, hac.kernel) * n
    covariance = covariance * (n / (n - x.shape[1]) if hac.small_sample else 1.0)
    vector = theta.reshape(-1)
    rows: Rows = {}
    for name, at, null in (
        ("Wald HAC", slice(0, 2 * m), "alpha = 0 and beta sums to 1"),
        ("Wald HAC, alpha", slice(0, m), "alpha = 0"),
        ("Wald HAC, delta", slice(m, 2 * m), "beta sums to 1"),
    ):
        value = float(vector[at] @ solve_covariance(covariance[at, at], vector[at]))
        df = at.stop - at.start
        rows[name] = (value, chi2_upper(value, df), f"chi2({df})", null)
    return rows


def _extended(
    result: TimeSeriesResult,
    tests: pd.DataFrame,
    title: str,
    *,
    sharpe: pd.Series | None = None,
    lines: tuple[str, ...] = (),
    notes: tuple[Note, ...] = (),
) -> SpanningResult:
    fields = {name: getattr(result, name) for name in TimeSeriesResult.__dataclass_fields__}
    out = SpanningResult(
        **fields,
        tests=tests,
        sharpe=pd.Series(dtype=float) if sharpe is None else sharpe,
        lines=lines,
    )
    return replace(out, title=title, notes=notes)
