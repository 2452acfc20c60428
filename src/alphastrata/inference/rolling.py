"""Rolling and expanding betas of many assets in one pass."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.samples import Returns, align, coefficient_names, describe_dates
from alphastrata.inference.small_systems import solve_scaled

__all__ = ["RollingBetas", "rolling_betas", "rolling_regressions"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class RollingBetas(Result):
    """Alphas and betas of every window, dated by the last day of the window.

    Windows overlap, so nothing here has a standard error: `table` describes their paths.

    Attributes
    ----------
    params : dict of str to DataFrame, T x N
        "alpha" and one frame per factor; missing where a window has too few observations.
    residual_std : DataFrame, T x N
        Residual standard deviation, divisor n - K - 1 (idiosyncratic volatility).
    r2 : DataFrame, T x N
        R squared.
    nobs : DataFrame, T x N
        Observations in each window.
    window : int or None
        Length; None when expanding.
    min_periods : int
        Fewest observations.
    """

    params: dict[str, pd.DataFrame]
    residual_std: pd.DataFrame
    r2: pd.DataFrame
    nobs: pd.DataFrame
    window: int | None
    min_periods: int
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per (asset, coefficient): windows, and how the estimates moved."""
        pieces = {}
        for name, frame in self.params.items():
            known = frame.count() > 0
            last = frame.loc[:, known].ffill().iloc[-1]
            pieces[name] = pd.DataFrame(
                {
                    "windows": frame.count(),
                    "mean": frame.mean(),
                    "sd": frame.std(),
                    "min": frame.min(),
                    "max": frame.max(),
                    "last": last.reindex(frame.columns),
                }
            )
        table = pd.concat(pieces, names=["coefficient", "asset"]).swaplevel()
        assets = next(iter(self.params.values())).columns
        order = pd.MultiIndex.from_product(
            [assets, list(self.params)], names=["asset", "coefficient"]
        )
        return table.reindex(order)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        kind = "Expanding windows" if self.window is None else f"Windows of {self.window} dates"
        return [
            f"{kind}, at least {self.min_periods} observations; dated by the last day of the "
            "window; alphas in decimals per period.",
            "Windows overlap: neighbouring estimates share most of their data.",
        ]

    def __getitem__(self, coefficient: str) -> pd.DataFrame:
        """Return one coefficient, T x N."""
        return self.params[coefficient]

    def at(self, date: str | pd.Timestamp) -> pd.DataFrame:
        """Return all coefficients of one date, asset x coefficient."""
        when = pd.Timestamp(date)
        return pd.DataFrame({name: frame.loc[when] for name, frame in self.params.items()})

    def long(self) -> pd.DataFrame:
        """Return a long frame by (date, asset), ready to become a `Panel` or to be joined."""
        frames = {f"beta_{n}" if n != "alpha" else n: f for n, f in self.params.items()}
        frames["idiosyncratic_volatility"] = self.residual_std
        stacked = {
            n: f.rename_axis(index="date", columns="asset").stack() for n, f in frames.items()
        }
        return pd.DataFrame(stacked).dropna(how="all")

    def __repr__(self) -> str:
        frame = self.residual_std
        kind = "expanding" if self.window is None else f"rolling {self.window}"
        return (
            f"RollingBetas: {kind} windows, {', '.join(self.params)}, {frame.shape[0]:,} dates x "
            f"{frame.shape[1]:,} assets, at least {self.min_periods} observations"
        )


def rolling_betas(
    returns: Returns,
    factors: Returns,
    *,
    window: int = 60,
    min_periods: int | None = None,
    expanding: bool = False,
) -> RollingBetas:
    """Return alphas and betas over every window of dates.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        One column per asset; may hold missing values. Excess returns as in `time_series`.
    factors : FactorReturns, DataFrame or Series
        Factors; dates on which one is missing are left out.
    window : int
        Dates in a window (60 months, 252 days).
    min_periods : int, optional
        Fewest observations; the window's length when None. Required when expanding.
    expanding : bool
        Windows begin at the first date and grow.

    Returns
    -------
    RollingBetas

    Raises
    ------
    ConfigError
        If min_periods is not above the number of coefficients or exceeds the window.
    InputDataError
        If dates or kinds do not fit.

    Notes
    -----
    Sums of products are updated by the entering and the leaving observation, on factors shifted
    by their first means, and are computed afresh every 256 dates against drift. Returns after a
    window's last date never change it by a bit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=100, freq="ME")
    >>> market = pd.DataFrame({"m": rng.normal(size=100)}, index=dates)
    >>> asset = pd.DataFrame({"A": 2 * market["m"]}, index=dates)
    >>> betas = rolling_betas(asset, market, window=60)
    >>> float(betas["m"]["A"].iloc[-1].round(6)), int(betas["m"]["A"].notna().sum())
    (2.0, 41)
    """
    sample = align(returns, factors)
    n_dates, k = sample.factors.shape
    if expanding and min_periods is None:
        raise ConfigError("Expanding windows need min_periods.")
    length = n_dates if expanding else window
    fewest = length if min_periods is None else min_periods
    if fewest <= k + 1 or fewest > length:
        raise ConfigError(
            f"min_periods must be above the {k + 1} coefficients and at most the window of "
            f"{length}; got {fewest}."
        )
    if fewest > n_dates:
        raise InputDataError(
            f"Windows of at least {fewest} observations need as many dates; got {n_dates}."
        )
    y = np.ascontiguousarray(sample.y.T)
    params, residual_std, r2, nobs = rolling_regressions(sample.f, y, length, fewest)
    dates, assets = sample.returns.index, sample.returns.columns

    def frame(values: NDArray[np.generic]) -> pd.DataFrame:
        return pd.DataFrame(values.T, index=dates, columns=assets)

    names = coefficient_names("alpha", sample.factors.columns)
    return RollingBetas(
        params={name: frame(params[j]) for j, name in enumerate(names)},
        residual_std=frame(residual_std),
        r2=frame(r2),
        nobs=frame(nobs),
        window=None if expanding else window,
        min_periods=fewest,
        title=f"{'Expanding' if expanding else 'Rolling'} betas on "
        f"{', '.join(sample.factors.columns)} ({describe_dates(dates, sample.freq)})",
        notes=sample.notes,
    )


def rolling_regressions(
    factors: Array, y: Array, window: int, min_periods: int
) -> tuple[Array, Array, Array, NDArray[np.int32]]:
    """Return rolling regressions of series on a constant and factors, as arrays.

    Parameters
    ----------
    factors : ndarray, shape (T, K)
        Factors without missing values.
    y : ndarray, shape (N, T), C order
        Series, one per row; NaN where missing.
    window, min_periods : int
        Length of a window and fewest observations in it.

    Returns
    -------
    params : ndarray, shape (K + 1, N, T)
        Coefficients, the intercept first.
    residual_std, r2 : ndarray, shape (N, T)
    nobs : ndarray of int32, shape (N, T)
    """
    # Shifts come from the first window, so that what comes later cannot change a bit of it.
    centre = factors[:window].mean(axis=0)
    x = np.ascontiguousarray(factors - centre)
    means, inverses = _shared(x, window)
    present = ~np.isnan(y)
    begin = present.argmax(axis=1) if y.size else np.zeros(0, dtype=np.int64)
    level = np.nan_to_num(y[np.arange(len(y)), begin])
    return _roll(x, y, level, centre, means, inverses, window, min_periods)


def _shared(x: Array, window: int) -> tuple[Array, Array]:
    """Return the means, (T, K), and inverse centred products, (T, K, K), of complete windows."""
    n, k = x.shape
    total = np.zeros((n + 1, k))
    np.cumsum(x, axis=0, out=total[1:])
    products = np.zeros((n + 1, k, k))
    np.cumsum(x[:, :, None] * x[:, None, :], axis=0, out=products[1:])
    last = np.arange(1, n + 1)
    first = np.maximum(last - window, 0)
    count = (last - first)[:, None]
    means = (total[last] - total[first]) / count
    centred = (
        products[last]
        - products[first]
        - count[:, :, None] * (means[:, :, None] * means[:, None, :])
    )
    inverses = np.full((n, k, k), np.nan)
    scale = np.sqrt(np.maximum(np.einsum("tii->ti", centred), 0.0))
    usable = (count[:, 0] > k + 1) & (scale > 0.0).all(axis=1)
    scaled = centred[usable] / (scale[usable][:, :, None] * scale[usable][:, None, :])
    good = np.linalg.eigvalsh(scaled)[:, 0] > 1e-11
    chosen = np.flatnonzero(usable)[good]
    unit = scale[chosen][:, :, None] * scale[chosen][:, None, :]
    inverses[chosen] = np.linalg.inv(scaled[good]) / unit
    return means, inverses


@njit(cache=True, nogil=True)
def _roll(
    x: Array,
    y: Array,
    level: Array,
    centre: Array,
    means: Array,
    inverses: Array,
    window: int,
    min_periods: int,
) -> tuple[Array, Array, Array, NDArray[np.int32]]:
    # One piece on purpose: cut into helpers, the same loop takes nine times as long, since every
    # array handed over is counted.
    n_assets, n = y.shape
    k = x.shape[1]
    params = np.empty((k + 1, n_assets, n))
    spread = np.empty((n_assets, n))
    r2 = np.empty((n_assets, n))
    nobs = np.empty((n_assets, n), dtype=np.int32)
    sx, sxy, beta, target = np.zeros(k), np.zeros(k), np.zeros(k), np.zeros(k)
    sxx, centred, factor = np.zeros((k, k)), np.zeros((k, k)), np.zeros((k, k))
    for asset in range(n_assets):
        series = y[asset]
        shift = level[asset]
        count, missing = 0, False
        sy, syy = 0.0, 0.0
        for t in range(n):
            if series[t] != series[t]:
                missing = True
                break
        for t in range(n):
            # Entering and leaving; every 256 dates the sums start afresh.
            fresh = t % 256 == 0
            first = max(t - window + 1, 0) if fresh else t
            if fresh:
                count, sy, syy = 0, 0.0, 0.0
                sx[:], sxy[:], sxx[:] = 0.0, 0.0, 0.0
            elif t >= window:
                v = series[t - window]
                if v == v:
                    v -= shift
                    count -= 1
                    sy -= v
                    syy -= v * v
                    for i in range(k):
                        sxy[i] -= x[t - window, i] * v
                    if missing:
                        for i in range(k):
                            sx[i] -= x[t - window, i]
                            for j in range(i + 1):
                                sxx[i, j] -= x[t - window, i] * x[t - window, j]
            for row in range(first, t + 1):
                v = series[row]
                if v == v:
                    v -= shift
                    count += 1
                    sy += v
                    syy += v * v
                    for i in range(k):
                        sxy[i] += x[row, i] * v
                    if missing:
                        for i in range(k):
                            sx[i] += x[row, i]
                            for j in range(i + 1):
                                sxx[i, j] += x[row, i] * x[row, j]
            nobs[asset, t] = count
            solved = count >= min_periods
            if solved:
                if count == min(t + 1, window):
                    solved = inverses[t, 0, 0] == inverses[t, 0, 0]
                    for i in range(k):
                        target[i] = sxy[i] - means[t, i] * sy
                    for i in range(k):
                        s = 0.0
                        for j in range(k):
                            s += inverses[t, i, j] * target[j]
                        beta[i] = s
                else:
                    for i in range(k):
                        target[i] = sxy[i] - sx[i] * sy / count
                        for j in range(i + 1):
                            centred[i, j] = sxx[i, j] - sx[i] * sx[j] / count
                    solved = solve_scaled(centred, target, factor, beta) > 1e-11
            if not solved:
                for j in range(k + 1):
                    params[j, asset, t] = np.nan
                spread[asset, t] = np.nan
                r2[asset, t] = np.nan
                continue
            alpha = sy / count + shift
            explained = 0.0
            full = count == min(t + 1, window)
            for i in range(k):
                middle = means[t, i] if full else sx[i] / count
                alpha -= beta[i] * (middle + centre[i])
                explained += beta[i] * target[i]
                params[i + 1, asset, t] = beta[i]
            params[0, asset, t] = alpha
            total = syy - sy * sy / count
            ssr = max(total - explained, 0.0)
            spread[asset, t] = np.sqrt(ssr / (count - k - 1))
            r2[asset, t] = explained / total if total > 0.0 else np.nan
    return params, spread, r2, nobs
