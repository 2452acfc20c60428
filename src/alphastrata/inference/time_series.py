"""Alphas and betas: time-series regressions of returns on factors."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from alphastrata.core import Note, Result
from alphastrata.inference.hac import HAC, LagRule, as_hac
from alphastrata.inference.layout import STARS, Columns, long_table, numbers, stacked
from alphastrata.inference.least_squares import KEEP_RESIDUALS, CovarianceKind, Fit, fit_columns
from alphastrata.inference.samples import (
    Returns,
    Sample,
    align,
    coefficient_names,
    describe_dates,
)
from alphastrata.inference.tails import two_sided

__all__ = ["TimeSeriesResult", "time_series"]


@dataclass(frozen=True, repr=False)
class TimeSeriesResult(Result):
    """Alphas and betas of N assets on K factors.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : DataFrame, N x (K + 1)
        One row per asset; columns "alpha" and the factors. Alphas in decimals per period.
        p-values are computed when they are first asked for.
    dof : Series or None
        Degrees of freedom of Student's t; None where p-values are normal.
    r2, r2_adjusted : Series
        R squared of each regression, plain and adjusted for degrees of freedom.
    residual_std : Series
        Residual standard deviation, divisor T - K - 1, decimals per period.
    information_ratio : Series
        Alpha over the residual standard deviation, per period (not annualised).
    nobs : Series of int
        Observations of each asset.
    residuals : DataFrame or None
        Residuals, T x N, for up to 500 assets.
    residual_covariance : DataFrame or None
        N x N, divisor T, over dates on which all assets have a residual, for up to 500 assets.
    """

    params: pd.DataFrame
    std_errors: pd.DataFrame
    tstats: pd.DataFrame
    dof: pd.Series | None
    r2: pd.Series
    r2_adjusted: pd.Series
    residual_std: pd.Series
    information_ratio: pd.Series
    nobs: pd.Series
    residuals: pd.DataFrame | None
    residual_covariance: pd.DataFrame | None
    covariance: str
    title: str
    notes: tuple[Note, ...] = ()

    @cached_property
    def pvalues(self) -> pd.DataFrame:
        """Two-sided p-values, asset x coefficient."""
        dof = None if self.dof is None else self.dof.to_numpy()[:, None]
        return pd.DataFrame(
            two_sided(self.tstats, dof), index=self.tstats.index, columns=self.tstats.columns
        )

    @property
    def alphas(self) -> pd.Series:
        """Alphas, decimals per period, by asset."""
        return self.params["alpha"]

    @property
    def betas(self) -> pd.DataFrame:
        """Betas, asset x factor."""
        return self.params.drop(columns="alpha")

    def table(self) -> pd.DataFrame:
        """Return one row per (asset, coefficient): estimate, standard error, t and p.

        With a single asset, rows are indexed by coefficient alone.
        """
        table = long_table(self.params, self.std_errors, self.tstats, self.pvalues)
        return table.droplevel("asset") if len(self.params) == 1 else table

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [
            "Alphas in per cent per period; t-statistics in parentheses.",
            f"Standard errors: {self.covariance}.",
            STARS,
        ]

    def _formatted(self) -> pd.DataFrame:
        beside = Columns(
            {
                "R2 adj": numbers(self.r2_adjusted, 3),
                "resid %": numbers(100.0 * self.residual_std, 2),
                "IR": numbers(self.information_ratio, 3),
                "T": [f"{v:d}" for v in self.nobs],
            }
        )
        return stacked(self.params, self.tstats, self.pvalues, percent=("alpha",), beside=beside)


def time_series(
    returns: Returns,
    factors: Returns | None = None,
    *,
    lags: int | LagRule | HAC = 6,
    covariance: CovarianceKind = "hac",
    min_periods: int | None = None,
) -> TimeSeriesResult:
    """Return alphas and betas of every return series on the factors, with standard errors.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        One column per test asset. Total returns become excess returns through the risk-free
        rate of the returns, or of the factors; plain pandas objects are taken as excess.
    factors : FactorReturns, DataFrame or Series, optional
        One column per factor. Without any, alphas are mean returns.
    lags : int, rule or HAC
        Newey-West lags; a named rule ("newey-west", "newey-west-prewhitened", "andrews",
        "andrews-prewhitened", "rule-of-thumb", "stock-watson"); or an `HAC` with kernel and
        small-sample factor.
    covariance : {"hac", "nonrobust", "HC0", "HC1", "HC2", "HC3"}
        Covariance of the coefficients.
    min_periods : int, optional
        Fewest observations of an asset, K + 2 by default; assets with fewer get missing numbers
        and a note.

    Returns
    -------
    TimeSeriesResult

    Raises
    ------
    InputDataError
        If dates or kinds do not fit.
    EstimationError
        If factors are collinear.
    ConfigError
        If there are no more dates than lags. For an asset with fewer observations than that, lags
        are cut to one below them, with a note.

    Notes
    -----
    R_it = alpha_i + beta_i' f_t + e_it. Each asset is estimated over its own dates; gaps are
    closed up. p-values are Student's t with T - K - 1 degrees of freedom when the small-sample
    factor is on, normal otherwise.

    Source: Jensen (1968); Newey and West (1987).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    >>> market = pd.DataFrame({"Mkt-RF": rng.normal(0.006, 0.04, 120)}, index=dates)
    >>> asset = (0.002 + 1.2 * market["Mkt-RF"]).rename("A") + rng.normal(0, 0.01, 120)
    >>> result = time_series(asset, market, lags=3)
    >>> round(float(result.params.loc["A", "Mkt-RF"]), 1)
    1.2
    """
    hac = as_hac(lags)
    sample = align(returns, factors)
    fit = fit_columns(
        sample.x,
        sample.y,
        covariance=covariance,
        lags=hac.lags,
        kernel=hac.kernel,
        small_sample=hac.small_sample,
        min_periods=min_periods,
    )
    words = hac.describe(fit.bandwidths) if covariance == "hac" else _words(covariance, hac)
    fixed = hac.lags if covariance == "hac" and isinstance(hac.lags, int) else 0
    return _result(sample, fit, hac, words, fixed)


def _words(covariance: CovarianceKind, hac: HAC) -> str:
    pvalues = "t(T - K)" if hac.small_sample else "normal"
    if covariance != "nonrobust":
        return f"{covariance} (heteroskedasticity-robust), {pvalues}"
    return f"nonrobust, residual variance by {'T - K' if hac.small_sample else 'T'}, {pvalues}"


def _result(sample: Sample, fit: Fit, hac: HAC, covariance: str, lags: int) -> TimeSeriesResult:
    assets = pd.Index(sample.returns.columns, name="asset")
    names = pd.Index(coefficient_names("alpha", sample.factors.columns), name="coefficient")
    k = len(names)
    with np.errstate(divide="ignore", invalid="ignore"):
        tstats = (fit.params / fit.std_errors).T
        df = np.maximum(fit.nobs - k, 1)
        residual_std = np.sqrt(fit.ssr / df)
    short = np.isnan(fit.params[0])
    spanned = (fit.r2 > 1.0 - 1e-14) | (fit.ssr <= 1e-20 * fit.nobs * fit.params[0] ** 2)
    fit.std_errors[:, spanned], tstats[spanned], residual_std[spanned] = np.nan, np.nan, np.nan
    cut = ~short & (fit.nobs <= lags)
    notes = list(sample.notes)
    for rule, which, action in (
        ("assets with too few observations", short, "left missing"),
        ("assets that the factors span, or that do not vary", spanned, "given no errors"),
        ("assets with no more observations than lags", cut, "given one lag less than these"),
    ):
        if which.any():
            first = str(assets[which][0])
            notes.append(Note(rule, int(which.sum()), which.size, first, action, "inference"))

    def frame(values: np.ndarray) -> pd.DataFrame:
        return pd.DataFrame(values, index=assets, columns=names)

    def series(values: np.ndarray, name: str) -> pd.Series:
        return pd.Series(values, index=assets, name=name)

    keep = len(assets) <= KEEP_RESIDUALS
    residuals = (
        pd.DataFrame(fit.residuals, index=sample.returns.index, columns=assets) if keep else None
    )
    words = describe_dates(sample.returns.index, sample.freq)
    return TimeSeriesResult(
        params=frame(fit.params.T),
        std_errors=frame(fit.std_errors.T),
        tstats=frame(tstats),
        dof=series(df, "dof") if hac.small_sample else None,
        r2=series(fit.r2, "r2"),
        r2_adjusted=series(1.0 - (1.0 - fit.r2) * (fit.nobs - 1) / df, "r2_adjusted"),
        residual_std=series(residual_std, "residual_std"),
        information_ratio=series(fit.params[0] / residual_std, "information_ratio"),
        nobs=series(fit.nobs, "nobs"),
        residuals=residuals,
        residual_covariance=_residual_covariance(residuals),
        covariance=covariance,
        title=f"{_what(names[1:])} ({words})",
        notes=tuple(notes),
    )


def _what(factors: pd.Index) -> str:
    if not len(factors):
        return "Mean returns"
    return f"Time-series regressions on {', '.join(factors)}"


def _residual_covariance(residuals: pd.DataFrame | None) -> pd.DataFrame | None:
    if residuals is None:
        return None
    complete = residuals.dropna()
    if complete.empty:
        return None
    e = complete.to_numpy()
    names = residuals.columns
    return pd.DataFrame(e.T @ e / len(e), index=names, columns=names)
