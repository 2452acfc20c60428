"""Giglio and Xiu (2021): the premium of a factor when others are left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result, Statistic
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.hac import HAC, LagRule, as_hac, long_run_covariance, select_bandwidth
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.samples import Returns, align, describe_dates, require_varying
from alphastrata.inference.tails import chi2_upper, two_sided

__all__ = ["ThreePassResult", "count_factors", "three_pass"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class ThreePassResult(Result):
    """Risk premia of observed factors, free of bias from factors left out.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : Series
        Premia per period by observed factor.
    n_factors : int
        Latent factors used.
    spanned : Series
        R squared of each observed factor on the latent ones: a small value is a weak factor.
    strength : DataFrame
        Wald test by observed factor that it is unrelated to the latent ones.
    eigenvalues : ndarray
        Of the returns' covariance, largest first.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    n_factors: int
    spanned: pd.Series
    strength: pd.DataFrame
    eigenvalues: Array
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per observed factor: premium, error, t, p and R2 on latent factors."""
        table = parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)
        return table.assign(r2_latent=self.spanned)

    def statistics(self) -> Sequence[Statistic]:
        """Return the tests that observed factors are unrelated to latent ones."""
        return tuple(
            Statistic(f"{name} weak", r["statistic"], r["p"], "unrelated to latent factors",
                      f"chi2({self.n_factors})")
            for name, r in self.strength.iterrows()
        )  # fmt: skip

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def count_factors(returns: Array, most: int = 20) -> int:
    """Return the number of latent factors by the criterion of Giglio and Xiu (2021).

    Parameters
    ----------
    returns : ndarray, shape (T, N)
        Returns without missing values.
    most : int
        Largest number considered.

    Notes
    -----
    The j that minimises lambda_j + j phi, less one (but at least 1); lambda_j are the eigenvalues
    of demeaned returns over N T, phi = m/2 (log N + log T)(N^-1/2 + T^-1/2) with m the median of
    the first `most` of them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> factors, loadings = rng.normal(size=(300, 2)), rng.normal(size=(2, 50))
    >>> count_factors(factors @ loadings + 0.5 * rng.normal(size=(300, 50)))
    2
    """
    n, n_assets = returns.shape
    centred = returns - returns.mean(axis=0)
    values = np.linalg.svd(centred, compute_uv=False) ** 2 / (n * n_assets)
    limit = min(most, len(values) - 1)
    penalty = 0.5 * float(np.median(values[:limit]))
    penalty *= (np.log(n_assets) + np.log(n)) * (n_assets**-0.5 + n**-0.5)
    criterion = values[: limit + 1] + penalty * np.arange(1, limit + 2)
    return max(int(np.argmin(criterion)), 1)


def three_pass(
    returns: Returns,
    factors: Returns,
    *,
    n_factors: int | None = None,
    lags: int | LagRule | HAC = 6,
) -> ThreePassResult:
    """Return risk premia of observed factors from principal components of many returns.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Excess returns of many test assets (N in the hundreds is best); dates on which one is
        missing are left out.
    factors : FactorReturns, DataFrame or Series
        Observed factors, traded or not, possibly measured with error.
    n_factors : int, optional
        Number p of latent factors; by default by the paper's criterion, `count_factors`. Too
        many cost little, too few bring the bias back.
    lags : int, rule or HAC
        Newey-West lags.

    Returns
    -------
    ThreePassResult

    Raises
    ------
    ConfigError
        If n_factors is not from 1 to min(N, T - 1) - 1.
    EstimationError
        If there are fewer than two assets or three dates, or a factor does not vary.

    Notes
    -----
    1. Principal components V of demeaned returns, loadings B. 2. Average returns on B: the
    premia gamma of latent factors. 3. Factors g on V: eta. The premium of g is eta gamma, with
    influence z_t v_t' S_v^-1 gamma + eta v_t (z the residual of g). Valid as N and T grow; the
    error of the second pass vanishes with N.

    Source: Giglio and Xiu (2021, theorems 1 to 3).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("1980-01-31", periods=480, freq="ME")
    >>> v = rng.normal([0.02, 0.01], 0.05, (480, 2))
    >>> noise = rng.normal(0, 0.01, (480, 60))
    >>> assets = pd.DataFrame(v @ rng.normal(1, 0.5, (2, 60)) + noise, index=dates)
    >>> g = pd.DataFrame({"g": v[:, 0] + rng.normal(0, 0.05, 480)}, index=dates)
    >>> bool(abs(three_pass(assets, g, n_factors=2).params["g"] - 0.02) < 0.01)
    True
    """
    hac = as_hac(lags)
    sample = align(returns, factors).complete()
    require_varying(sample.factors, "factor")
    y, g = sample.y, sample.f
    n, n_assets = y.shape
    upper = min(n_assets, n - 1) - 1
    if upper < 1:
        raise EstimationError(
            f"Three passes need at least two assets and three dates; got {n_assets} and {n}."
        )
    p = count_factors(y) if n_factors is None else n_factors
    if not 1 <= p <= upper:
        raise ConfigError(f"n_factors must be from 1 to {upper}; got {p}.")
    mean = y.mean(axis=0)
    left, values, right = np.linalg.svd(y - mean, full_matrices=False)
    v = left[:, :p] * np.sqrt(n)  # V'V / T = I
    loadings = right[:p].T * (values[:p] / np.sqrt(n))
    gamma = np.linalg.lstsq(loadings, mean, rcond=None)[0]
    centred = g - g.mean(axis=0)
    eta = centred.T @ v / n
    z = centred - v @ eta.T
    premia = eta @ gamma
    influence = z * (v @ gamma)[:, None] + v @ eta.T
    bandwidth = select_bandwidth(influence, hac.lags, hac.kernel)
    variance = np.diag(long_run_covariance(influence, bandwidth, hac.kernel)) / n
    factor = n / (n - 1) if hac.small_sample else 1.0
    names = pd.Index(sample.factors.columns, name="factor")
    errors = np.sqrt(variance * factor)
    tstats = premia / errors
    strength = [_strength(v, z[:, i], eta[i], hac) for i in range(len(names))]
    how = "given" if n_factors is not None else "criterion of Giglio and Xiu"
    words = describe_dates(sample.returns.index, sample.freq)
    return ThreePassResult(
        params=pd.Series(premia, names, name="premium"),
        std_errors=pd.Series(errors, names, name="std_error"),
        tstats=pd.Series(tstats, names, name="t"),
        pvalues=pd.Series(two_sided(tstats), names, name="p"),
        n_factors=p,
        spanned=pd.Series(1.0 - (z**2).sum(axis=0) / (centred**2).sum(axis=0), names),
        strength=pd.DataFrame(
            {"statistic": strength, "p": [chi2_upper(s, p) for s in strength]}, index=names
        ),
        eigenvalues=values**2 / n,
        lines=(
            f"{p} latent factors ({how}) of {n_assets} assets.",
            f"{hac.describe((bandwidth,), lost='1', pvalues=False)}; p-values normal.",
        ),
        title=f"Three-pass premia of {', '.join(names)} ({words})",
        notes=sample.notes,
    )


def _strength(v: Array, z: Array, eta: Array, hac: HAC) -> float:
    scores = v * z[:, None]
    bandwidth = select_bandwidth(scores, hac.lags, hac.kernel)
    covariance = long_run_covariance(scores, bandwidth, hac.kernel) / len(v)
    if not np.any(z**2 > 1e-24 * (v @ eta) ** 2):
        return float("inf")
    return float(eta @ np.linalg.solve(covariance, eta))
