"""Betas for special circumstances: thin trading and falling markets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.hac import HAC, LagRule, as_hac
from alphastrata.inference.layout import long_table
from alphastrata.inference.least_squares import coefficient_covariance, fit_complete
from alphastrata.inference.samples import (
    Returns,
    align,
    describe_dates,
    require_observations,
)
from alphastrata.inference.tails import two_sided

__all__ = ["BetaResult", "dimson_beta", "downside_beta"]


@dataclass(frozen=True, repr=False)
class BetaResult(Result):
    """One beta per asset and kind.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : DataFrame, asset x kind of beta
        t-statistics are against zero.
    nobs : Series of int
        Observations of each asset.
    """

    params: pd.DataFrame
    std_errors: pd.DataFrame
    tstats: pd.DataFrame
    pvalues: pd.DataFrame
    nobs: pd.Series
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per (asset, kind): estimate, standard error, t and p."""
        return long_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def dimson_beta(
    returns: Returns,
    market: Returns,
    *,
    lags: int = 1,
    leads: int = 0,
    errors: int | LagRule | HAC = 6,
) -> BetaResult:
    """Return betas of assets that trade thinly: the sum over lagged, present and led markets.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Assets; each is estimated over its own dates.
    market : FactorReturns, DataFrame or Series
        One factor.
    lags, leads : int
        How many dates back and ahead. Leads look into the future: such a beta describes a
        sample and must not be used to form portfolios at its dates.
    errors : int, rule or HAC
        Newey-West errors.

    Returns
    -------
    BetaResult
        Kinds "beta" (the sum) and "contemporaneous".

    Notes
    -----
    R_t = a + sum_{j=-leads}^{lags} b_j m_{t-j} + e_t; beta = sum of b_j, its variance from the
    covariance of all b_j. Source: Dimson (1979), without the correction of Fowler and Rorke
    (1983).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=300, freq="ME")
    >>> market = pd.DataFrame({"m": rng.normal(size=300)}, index=dates)
    >>> stale = 0.6 * market["m"] + 0.4 * market["m"].shift(1)
    >>> float(dimson_beta(stale.rename("A"), market).params.loc["A", "beta"].round(6))
    1.0
    """
    if lags < 0 or leads < 0 or lags + leads == 0:
        raise ConfigError(f"Give at least one lag or lead; got lags={lags}, leads={leads}.")
    hac = as_hac(errors)
    sample = align(returns, market)
    name = _one(sample.factors)
    m = sample.factors[name]
    order = [0, *range(1, lags + 1), *range(-1, -leads - 1, -1)]
    shifted = pd.concat([m.shift(j) for j in order], axis=1)
    x_all = np.column_stack([np.ones(len(m)), shifted.to_numpy()])
    rows = []
    for asset in sample.returns.columns:
        y = sample.returns[asset].to_numpy()
        kept = ~(np.isnan(y) | np.isnan(x_all).any(axis=1))
        x = x_all[kept]
        require_observations(sample.returns.loc[kept, asset], x.shape[1])
        fit = fit_complete(x, y[kept, None], covariance="nonrobust")
        covariance = coefficient_covariance(x, fit.residuals[:, 0], hac)
        total = np.r_[0.0, np.ones(len(order))]
        beta, b = fit.params[:, 0] @ total, fit.params[1, 0]
        rows.append([beta, b, total @ covariance @ total, covariance[1, 1], kept.sum()])
    values = np.array(rows)
    lines = (
        f"beta: sum over {lags} lags and {leads} leads of {name} (Dimson 1979); {hac.describe()}.",
    )
    dof = values[:, 4] - len(order) - 1
    return _result(
        values[:, :2],
        values[:, 2:4],
        values[:, 4],
        dof if hac.small_sample else None,
        (sample.returns.columns, ["beta", "contemporaneous"]),
        lines,
        f"Dimson betas on {name} ({describe_dates(sample.returns.index, sample.freq)})",
        sample.notes,
    )


def downside_beta(
    returns: Returns, market: Returns, *, threshold: float | str = "mean"
) -> BetaResult:
    """Return betas over dates on which the market is below, and above, a threshold.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Assets; each is estimated over its own dates.
    market : FactorReturns, DataFrame or Series
        One factor, in excess of the risk-free rate.
    threshold : "mean", "mean-sd" or float
        The market's sample mean (Ang, Chen and Xing 2006), one standard deviation below it
        (Lettau, Maggiori and Weber 2014), or a number such as 0.

    Returns
    -------
    BetaResult
        Kinds "beta", "downside", "upside" and "downside - beta", with heteroskedasticity-robust
        (HC1) errors. The error of the difference is that of two least-squares slopes over
        nested samples, from their joint scores.

    Notes
    -----
    beta^- = cov(R, m | m < c) / var(m | m < c).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=300, freq="ME")
    >>> market = pd.DataFrame({"m": rng.normal(size=300)}, index=dates)
    >>> asset = market["m"].where(market["m"] < 0, 0.5 * market["m"]).rename("A")
    >>> result = downside_beta(asset, market, threshold=0.0)
    >>> result.params.loc["A", ["downside", "upside"]].round(6).tolist()
    [1.0, 0.5]
    """
    sample = align(returns, market)
    name = _one(sample.factors)
    m = sample.f[:, 0]
    if threshold == "mean":
        cut = float(m.mean())
    elif threshold == "mean-sd":
        cut = float(m.mean() - m.std(ddof=1))
    elif isinstance(threshold, str):
        raise ConfigError(f"threshold is 'mean', 'mean-sd' or a number; got {threshold!r}.")
    else:
        cut = float(threshold)
    estimates, variances, counts = [], [], []
    for asset in sample.returns.columns:
        y = sample.returns[asset].to_numpy()
        kept = ~np.isnan(y)
        require_observations(sample.returns.loc[kept, asset], 2)
        parts = [_slope(m, y, kept & chosen) for chosen in (m == m, m < cut, m >= cut)]
        if any(p is None for p in parts):
            raise InputDataError(
                f"Both sides of the threshold {cut:.4f} need at least three dates; asset "
                f"{asset!r} has {int((kept & (m < cut)).sum())} below and "
                f"{int((kept & (m >= cut)).sum())} above."
            )
        (whole, s0), (down, s1), (up, s2) = (p for p in parts if p is not None)
        estimates.append([whole, down, up, down - whole])
        difference = s1 - s0
        variances.append([s @ s for s in (s0, s1, s2, difference)])
        counts.append(int(kept.sum()))
    return _result(
        np.array(estimates),
        np.array(variances),
        np.array(counts),
        None,
        (sample.returns.columns, ["beta", "downside", "upside", "downside - beta"]),
        (f"Threshold {cut:.6f}; heteroskedasticity-robust (HC1) errors, normal p-values.",),
        f"Downside betas on {name} ({describe_dates(sample.returns.index, sample.freq)})",
        sample.notes,
    )


def _one(factors: pd.DataFrame) -> str:
    if factors.shape[1] != 1:
        raise InputDataError(
            f"This beta is on one factor; got {factors.shape[1]}. Select the market."
        )
    return str(factors.columns[0])


def _slope(m: np.ndarray, y: np.ndarray, chosen: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Return the slope over chosen dates and its HC1 influence on every date."""
    n = int(chosen.sum())
    if n < 3:
        return None
    mc = m[chosen] - m[chosen].mean()
    yc = y[chosen] - y[chosen].mean()
    beta = float(mc @ yc / (mc @ mc))
    influence = np.zeros(len(m))
    influence[chosen] = mc * (yc - beta * mc) / (mc @ mc) * np.sqrt(n / (n - 2))
    return beta, influence


def _result(
    estimates: np.ndarray,
    variances: np.ndarray,
    counts: np.ndarray,
    dof: np.ndarray | None,
    labels: tuple[pd.Index, list[str]],
    lines: tuple[str, ...],
    title: str,
    notes: tuple[Note, ...],
) -> BetaResult:
    rows = pd.Index(labels[0], name="asset")
    columns = pd.Index(labels[1], name="kind")
    params = pd.DataFrame(estimates, rows, columns)
    errors = pd.DataFrame(np.sqrt(variances), rows, columns)
    tstats = params / errors
    return BetaResult(
        params=params,
        std_errors=errors,
        tstats=tstats,
        pvalues=pd.DataFrame(
            two_sided(tstats, None if dof is None else dof[:, None]), rows, columns
        ),
        nobs=pd.Series(counts.astype(np.int64), rows, name="nobs"),
        lines=lines,
        title=title,
        notes=notes,
    )
