"""The test of Gibbons, Ross and Shanken (1989) that all alphas are zero."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.linalg import cho_solve
from scipy.linalg.lapack import dpotrf

from alphastrata.core import Note, Result, Statistic
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.least_squares import Fit, fit_complete
from alphastrata.inference.samples import Returns, align, describe_dates
from alphastrata.inference.tails import f_upper, two_sided

__all__ = [
    "GRSResult",
    "grs",
    "grs_statistic",
    "max_squared_sharpe",
    "pricing_errors",
    "require_dates",
    "solve_covariance",
]

Array = NDArray[np.float64]
FactorDivisor = Literal["T", "T-1"]


@dataclass(frozen=True, eq=False)
class AlphaNumbers:
    """What a test of alphas leaves behind, as arrays.

    Attributes
    ----------
    assets : Index
        Names.
    fit : Fit
        Least squares of the returns on a constant and the factors.
    returns : ndarray, shape (T, N)
        Excess returns.
    factor_sharpe2, alpha_sharpe2 : float
        mu' Omega^-1 mu, covariance by T, and alpha' Sigma^-1 alpha.
    """

    assets: pd.Index
    fit: Fit
    returns: Array
    factor_sharpe2: float
    alpha_sharpe2: float


@dataclass(frozen=True, repr=False)
class GRSResult(Result):
    """The GRS test of N alphas, with the measures of Fama and French beside it.

    Attributes
    ----------
    statistic, pvalue : float
        Exact F statistic and its p-value.
    df1, df2 : int
        Degrees of freedom N and T - N - K.
    nobs : int
        Dates T.
    params, std_errors, tstats, pvalues : Series
        Alphas by asset (decimals per period), with nonrobust standard errors.
    measures : Series
        Average |alpha| and its relatives, average R squared, maximal squared Sharpe ratios.
        These and the Series above are made when they are first asked for.
    """

    statistic: float
    pvalue: float
    df1: int
    df2: int
    nobs: int
    numbers: AlphaNumbers
    factor_divisor: FactorDivisor
    title: str
    notes: tuple[Note, ...] = ()

    @cached_property
    def params(self) -> pd.Series:
        """Alphas, decimals per period, by asset."""
        return self._series(self.numbers.fit.params[0], "alpha")

    @cached_property
    def std_errors(self) -> pd.Series:
        """Nonrobust standard errors of the alphas."""
        return self._series(self.numbers.fit.std_errors[0], "std_error")

    @cached_property
    def tstats(self) -> pd.Series:
        """Alphas over their standard errors."""
        return self.params / self.std_errors

    @cached_property
    def pvalues(self) -> pd.Series:
        """Two-sided p-values, Student's t with T - K - 1 degrees of freedom."""
        freedom = self.df1 + self.df2 - 1
        return self._series(np.asarray(two_sided(self.tstats, freedom)), "p")

    @cached_property
    def measures(self) -> pd.Series:
        """Average |alpha| and its relatives, average R squared, squared Sharpe ratios."""
        fit = self.numbers.fit
        found = pricing_errors(fit.params[0], fit.std_errors[0], self.numbers.returns)
        found["A(R2)"] = float(fit.r2.mean())
        found["Sh2(factors)"] = self.numbers.factor_sharpe2
        found["Sh2(alpha)"] = self.numbers.alpha_sharpe2
        return pd.Series(found)

    def _series(self, values: Array, name: str) -> pd.Series:
        return pd.Series(values, pd.Index(self.numbers.assets, name="asset"), name=name)

    @property
    def alphas(self) -> pd.Series:
        """Alphas, decimals per period, by asset."""
        return self.params

    def table(self) -> pd.DataFrame:
        """Return one row per alpha: estimate, standard error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def statistics(self) -> Sequence[Statistic]:
        """Return the F test."""
        return (
            Statistic(
                "GRS F",
                self.statistic,
                self.pvalue,
                "all alphas are zero",
                f"F({self.df1}, {self.df2})",
            ),
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        listed = ", ".join(f"{name} = {value:.4f}" for name, value in self.measures.items())
        exact = self.factor_divisor == "T"
        return [
            listed,
            f"Residual covariance by T; factor covariance by {self.factor_divisor}; alphas in "
            "decimals per period, nonrobust standard errors.",
            "Exact under normal, independent and homoskedastic errors."
            if exact
            else "Not the exact F, which divides the factor covariance by T.",
        ]


def grs_statistic(
    x: Array,
    y: Array,
    *,
    factor_divisor: FactorDivisor = "T",
    names: Sequence[str] | None = None,
) -> float:
    """Return the GRS F statistic of returns on a constant and factors.

    Parameters
    ----------
    x : ndarray, shape (T, K + 1)
        A column of ones and the factors.
    y : ndarray, shape (T, N)
        Excess returns.
    factor_divisor : {"T", "T-1"}
        Divisor of the factor covariance; the exact F needs T.
    names : sequence of str, optional
        What a message calls the assets.

    Raises
    ------
    EstimationError
        If N >= T - K, or the residual covariance is singular.
    """
    require_dates(y.shape[0], y.shape[1], x.shape[1] - 1)
    fit = fit_complete(x, y, covariance="nonrobust")
    sharpe2 = max_squared_sharpe(x[:, 1:], divisor=factor_divisor)
    return _f(fit, _alpha_part(fit, names), sharpe2, x.shape[1] - 1)


def _alpha_part(fit: Fit, names: Sequence[str] | None = None) -> float:
    """Return alpha' Sigma^-1 alpha, Sigma by T."""
    alpha = fit.params[0]
    sigma = fit.residuals.T @ fit.residuals / fit.residuals.shape[0]
    return float(alpha @ solve_covariance(sigma, alpha, names))


def _f(fit: Fit, quadratic: float, sharpe2: float, k: int) -> float:
    n, n_assets = fit.residuals.shape
    return float((n - n_assets - k) / n_assets * quadratic / (1.0 + sharpe2))


def max_squared_sharpe(factors: Array, *, divisor: FactorDivisor = "T") -> float:
    """Return mu' Omega^-1 mu of factors, shape (T, K), the covariance by T or T - 1."""
    n = factors.shape[0]
    if factors.shape[1] == 0:
        return 0.0
    mean = factors.mean(axis=0)
    centred = factors - mean
    omega = centred.T @ centred / (n if divisor == "T" else n - 1)
    return float(mean @ solve_covariance(omega, mean))


def pricing_errors(alphas: Array, errors: Array, returns: Array) -> dict[str, float]:
    """Return the average-alpha measures of Fama and French (2015, table 5).

    Parameters
    ----------
    alphas, errors : ndarray, shape (N,)
        Alphas and their standard errors.
    returns : ndarray, shape (T, N)
        Excess returns; r_i is the mean of asset i less the mean over assets.

    Returns
    -------
    dict
        "A|a|", "A|a|/A|r|", "A(a2)/A(r2)" and "A(l2)/A(m2)", in which squared sampling errors
        are subtracted from both sums.
    """
    means = returns.mean(axis=0)
    spread = means - means.mean()
    relative = returns - returns.mean(axis=1, keepdims=True)
    noise = relative.var(axis=0, ddof=1) / returns.shape[0]
    out = {"A|a|": float(np.abs(alphas).mean())}
    if len(alphas) > 1:
        out["A|a|/A|r|"] = float(np.abs(alphas).mean() / np.abs(spread).mean())
        out["A(a2)/A(r2)"] = float((alphas**2).mean() / (spread**2).mean())
        out["A(l2)/A(m2)"] = float((alphas**2 - errors**2).mean() / (spread**2 - noise).mean())
    return out


def grs(returns: Returns, factors: Returns, *, factor_divisor: FactorDivisor = "T") -> GRSResult:
    """Return the exact F test that the alphas of all returns on the factors are zero.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        N test assets; total returns become excess returns as in `time_series`. Dates on which
        any of them is missing are left out, with a note.
    factors : FactorReturns, DataFrame or Series
        K traded factors.
    factor_divisor : {"T", "T-1"}
        Divisor of the factor covariance. T gives the exact F distribution (GRS, equation 3);
        T - 1 is what some packages compute.

    Returns
    -------
    GRSResult

    Raises
    ------
    EstimationError
        If N >= T - K: the residual covariance is singular then.
    InputDataError
        If dates or kinds do not fit.

    Notes
    -----
    F = (T - N - K)/N * alpha' Sigma^-1 alpha / (1 + mu' Omega^-1 mu), distributed F(N, T - N - K)
    under normal errors; Sigma = E'E / T.

    Source: Gibbons, Ross and Shanken (1989).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    >>> factor = pd.DataFrame({"f": rng.normal(0.005, 0.04, 120)}, index=dates)
    >>> assets = pd.DataFrame(rng.normal(0, 0.02, (120, 3)), index=dates).add(factor["f"], axis=0)
    >>> result = grs(assets, factor)
    >>> result.df1, result.df2
    (3, 116)
    """
    if factor_divisor not in ("T", "T-1"):
        raise ConfigError(f"factor_divisor is 'T' or 'T-1'; got {factor_divisor!r}.")
    sample = align(returns, factors).complete()
    x, y = sample.x, sample.y
    n, n_assets, k = y.shape[0], y.shape[1], x.shape[1] - 1
    require_dates(n, n_assets, k)
    fit = fit_complete(x, y, covariance="nonrobust")
    names = [str(name) for name in sample.returns.columns]
    require_unspanned(fit.residuals, y, names)
    quadratic = _alpha_part(fit, names)
    exact = max_squared_sharpe(sample.f)
    shown = exact if factor_divisor == "T" else max_squared_sharpe(sample.f, divisor="T-1")
    value = _f(fit, quadratic, shown, k)
    words = describe_dates(sample.returns.index, sample.freq)
    return GRSResult(
        statistic=value,
        pvalue=f_upper(value, n_assets, n - n_assets - k),
        df1=n_assets,
        df2=n - n_assets - k,
        nobs=n,
        numbers=AlphaNumbers(sample.returns.columns, fit, y, exact, quadratic),
        factor_divisor=factor_divisor,
        title=f"GRS test of {n_assets} alphas on {', '.join(sample.factors.columns)} ({words})",
        notes=sample.notes,
    )


def require_unspanned(residuals: Array, y: Array, names: Sequence[str]) -> None:
    """Raise when a test asset is a combination of the factors: it has no alpha to test.

    Its residuals are rounding errors, which would count as much as anything else once the
    covariance is scaled to correlations.

    Parameters
    ----------
    residuals, y : ndarray, shape (T, N)
        Residuals and returns.
    names : sequence of str
        Names of the assets.

    Raises
    ------
    EstimationError
        If the residual standard deviation of an asset is below 1e-10 of its own.
    """
    centred = y - y.mean(axis=0)
    ours = np.einsum("tn,tn->n", residuals, residuals)  # their mean is zero
    whole = np.einsum("tn,tn->n", centred, centred)
    spanned = np.flatnonzero(ours <= 1e-20 * whole)
    if spanned.size:
        raise EstimationError(
            "A test asset is not a combination of the factors (R squared of one); "
            f"{spanned.size} are. First: {names[int(spanned[0])]!r}. Leave them out."
        )


def require_dates(n: int, n_assets: int, k: int) -> None:
    """Raise `EstimationError` unless N < T - K."""
    if n_assets >= n - k:
        raise EstimationError(
            f"The number of assets N must be below T - K for a joint test of alphas; got N = "
            f"{n_assets}, T = {n}, K = {k}. Use fewer, broader portfolios or a longer sample."
        )


def solve_covariance(matrix: Array, vector: Array, names: Sequence[str] | None = None) -> Array:
    """Return matrix^-1 vector for a covariance matrix, scaled to correlations first.

    Parameters
    ----------
    matrix : ndarray, shape (N, N)
        Covariances.
    vector : ndarray, shape (N,) or (N, M)
        Right-hand side.
    names : sequence of str, optional
        What a message calls the rows; their places by default.

    Raises
    ------
    EstimationError
        Naming the first row that is a combination of those before it (to 1e-13 of its variance).
    """
    scale = np.sqrt(np.diag(matrix))
    if (scale > 0.0).all():
        factor, failed = dpotrf(matrix / np.outer(scale, scale), lower=1)
        pivots = np.diag(factor) ** 2
        singular = failed - 1 if failed > 0 else int(pivots.argmin())
        if not failed and pivots[singular] >= 1e-13:
            scaled = vector / (scale if vector.ndim == 1 else scale[:, None])
            solved = cho_solve((factor, True), scaled)
            return np.asarray(solved / (scale if vector.ndim == 1 else scale[:, None]))
    else:
        singular = int((scale > 0.0).argmin())
    which = repr(names[singular]) if names else f"asset {singular} (0 is the first)"
    raise EstimationError(
        f"The covariance matrix is singular: {which} is a linear combination of others, or of the "
        "factors. Leave it out."
    )
