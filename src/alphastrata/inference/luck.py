"""Luck against skill: the distribution of many alphas by bootstrap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.samples import Returns, align, describe_dates
from alphastrata.inference.tails import two_sided

__all__ = ["LuckResult", "bootstrap_alphas", "weighted_alphas"]

Array = NDArray[np.float64]
Method = Literal["fama-french", "kosowski"]
_PERCENTILES = (1, 2, 3, 4, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 96, 97, 98, 99)


@dataclass(frozen=True, repr=False)
class LuckResult(Result):
    """The cross-section of t(alpha) against worlds in which every true alpha is zero.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : Series
        Alphas by asset, nonrobust.
    percentiles : DataFrame
        By percentile of t(alpha): "actual", "simulated" (average over resamples) and "% below":
        the share of resamples whose percentile is below the actual one. In the right tail,
        shares near 100 speak for skill; in the left, shares near 0 for its opposite.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    percentiles: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return the percentiles of t(alpha), actual and simulated."""
        return self.percentiles

    def alphas_table(self) -> pd.DataFrame:
        """Return one row per asset: alpha, error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def bootstrap_alphas(
    returns: Returns,
    factors: Returns,
    *,
    method: Method = "fama-french",
    min_periods: int = 8,
    draws: int = 1000,
    seed: int = 0,
) -> LuckResult:
    """Return percentiles of t(alpha) of many assets against those that luck alone would give.

    Parameters
    ----------
    returns : FactorReturns or DataFrame
        Funds, strategies or factors; may hold missing values.
    factors : FactorReturns, DataFrame or Series
        Benchmark model.
    method : {"fama-french", "kosowski"}
        "fama-french" resamples dates, returns less alphas and factors together, which keeps the
        correlation of assets (Fama and French 2010). "kosowski" resamples each asset's
        residuals alone with factors held fixed (Kosowski, Timmermann, Wermers and White 2006).
    min_periods : int
        Fewest distinct observations of an asset, in the sample and in each resample.
    draws, seed : int
        Resamples and seed.

    Returns
    -------
    LuckResult

    Notes
    -----
    t-statistics are nonrobust. Dates are drawn one by one: autocorrelation is not kept.
    """
    if method not in ("fama-french", "kosowski"):
        raise ConfigError(f"method is 'fama-french' or 'kosowski'; got {method!r}.")
    if draws < 99:
        raise ConfigError(f"Give at least 99 draws; got {draws}.")
    sample = align(returns, factors)
    x, y = sample.x, sample.y
    n, k = x.shape
    if min_periods <= k:
        raise ConfigError(f"min_periods must be above {k} coefficients; got {min_periods}.")
    kept = (~np.isnan(y)).sum(axis=0) >= min_periods
    if not kept.any():
        raise EstimationError(f"No asset has {min_periods} observations.")
    y = np.ascontiguousarray(y[:, kept])
    params, errors, dof = weighted_alphas(x, y, np.ones(n), min_periods)
    tstats = params / errors
    rng = np.random.default_rng(seed)
    simulated = np.empty((draws, len(_PERCENTILES)))
    null = y - params
    fitted = None if method == "fama-french" else _fitted(x, y)
    for b in range(draws):
        if fitted is None:
            weights = np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64)
            a, e, _ = weighted_alphas(x, null, weights, min_periods)
        else:
            a, e, _ = weighted_alphas(x, _resampled(fitted, params, rng), np.ones(n), min_periods)
        simulated[b] = np.nanpercentile(a / e, _PERCENTILES)
    actual = np.nanpercentile(tstats, _PERCENTILES)
    table = pd.DataFrame(
        {
            "actual": actual,
            "simulated": simulated.mean(axis=0),
            "% below": 100.0 * (simulated < actual).mean(axis=0),
        },
        index=pd.Index(_PERCENTILES, name="percentile"),
    )
    assets = pd.Index(sample.returns.columns[kept], name="asset")
    notes = list(sample.notes)
    if not kept.all():
        first = str(sample.returns.columns[~kept][0])
        notes.append(Note("assets with too few observations", int((~kept).sum()), kept.size,
                          first, "left out", "inference"))  # fmt: skip
    unknown = np.isnan(params)
    if unknown.any():
        notes.append(Note("assets that the factors span", int(unknown.sum()), unknown.size,
                          str(assets[unknown][0]), "left out", "inference"))  # fmt: skip
    words = describe_dates(sample.returns.index, sample.freq)
    return LuckResult(
        params=pd.Series(params, assets, name="alpha"),
        std_errors=pd.Series(errors, assets, name="std_error"),
        tstats=pd.Series(tstats, assets, name="t"),
        pvalues=pd.Series(two_sided(tstats, dof), assets, name="p"),
        percentiles=table,
        lines=(
            f"{draws} resamples ({method}), seed {seed}; at least {min_periods} distinct dates; "
            "nonrobust t-statistics.",
        ),
        title=f"Luck and skill among {len(assets)} alphas on "
        f"{', '.join(sample.factors.columns)} ({words})",
        notes=tuple(notes),
    )


def weighted_alphas(
    x: Array, y: Array, weights: Array, min_periods: int
) -> tuple[Array, Array, Array]:
    """Return alphas, nonrobust errors and degrees of freedom when date t counts weights[t] times.

    Parameters
    ----------
    x : ndarray, shape (T, K)
        A column of ones and the factors.
    y : ndarray, shape (T, N)
        Returns; NaN where missing.
    weights : ndarray, shape (T,)
        Whole numbers: how often each date was drawn.
    min_periods : int
        Assets with fewer distinct dates get NaN.
    """
    k = x.shape[1]
    drawn = weights > 0
    x, y, weights = x[drawn], y[drawn], weights[drawn]
    present = ~np.isnan(y)
    enough = present.sum(axis=0) >= min_periods
    mask = present * weights[:, None]
    clean = np.where(present, y, 0.0)
    # Orthonormal regressors keep the normal equations well conditioned.
    q, r = np.linalg.qr(x * np.sqrt(weights)[:, None])
    q = q / np.sqrt(weights)[:, None]
    products = (q[:, :, None] * q[:, None, :]).reshape(len(q), k * k)
    gram = (mask.T @ products).reshape(-1, k, k)
    right = (clean * mask).T @ q
    gram[~enough] = np.eye(k)
    singular = np.linalg.eigvalsh(gram)[:, 0] < 1e-10
    gram[singular] = np.eye(k)
    inverse = np.linalg.inv(gram)
    coefficients = np.einsum("nij,nj->ni", inverse, right)
    first = np.linalg.inv(r)[0]
    alphas = coefficients @ first
    count = mask.sum(axis=0)
    ssr = (clean**2 * mask).sum(axis=0) - (coefficients * right).sum(axis=1)
    dof = np.maximum(count - k, 1.0)
    spread = np.einsum("i,nij,j->n", first, inverse, first)
    errors = np.sqrt(np.maximum(ssr, 0.0) / dof * spread)
    # Of an asset that the factors span, only rounding error is left.
    spanned = ssr <= 1e-12 * (clean**2 * mask).sum(axis=0)
    bad = ~enough | singular | spanned | ~(errors > 0)
    alphas[bad], errors[bad] = np.nan, np.nan
    return alphas, errors, dof


def _fitted(x: Array, y: Array) -> tuple[Array, Array]:
    """Return fitted values and residuals of each column over its own dates."""
    fitted = np.full(y.shape, np.nan)
    for j in range(y.shape[1]):
        rows = ~np.isnan(y[:, j])
        b = np.linalg.lstsq(x[rows], y[rows, j], rcond=None)[0]
        fitted[rows, j] = x[rows] @ b
    return fitted, y - fitted


def _resampled(fitted: tuple[Array, Array], alphas: Array, rng: np.random.Generator) -> Array:
    """Return returns with alphas of zero and each asset's own residuals redrawn."""
    values, residuals = fitted
    out = values - alphas
    for j in range(out.shape[1]):
        rows = np.flatnonzero(~np.isnan(out[:, j]))
        out[rows, j] += residuals[rng.choice(rows, rows.size), j]
    return np.asarray(out)
