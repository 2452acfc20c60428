"""Least squares of many series on the same regressors, with the usual covariances.

Pure functions of arrays: time runs down, one column per series. Regressors are orthonormalised
by QR once, so that nothing squares their condition number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.hac import (
    HAC,
    Bandwidth,
    Kernel,
    LagRule,
    long_run_covariance,
    select_bandwidth,
)
from alphastrata.inference.many_series import bartlett_fits, bartlett_lanes

__all__ = [
    "CovarianceKind",
    "Fit",
    "coefficient_covariance",
    "fit_columns",
    "fit_complete",
    "orthonormal",
]

Array = NDArray[np.float64]
CovarianceKind = Literal["nonrobust", "HC0", "HC1", "HC2", "HC3", "hac"]

_COLLINEAR = 1e-10
_BLOCK = 512  # series at a time: their residuals stay in cache
KEEP_RESIDUALS = 500
"""Residuals of complete series are kept for up to this many of them."""


@dataclass(frozen=True)
class Fit:
    """Least squares of N series on K regressors.

    Attributes
    ----------
    params, std_errors : ndarray, shape (K, N)
        Coefficients and their standard errors.
    residuals : ndarray, shape (T, N), or (T, 0)
        Residuals; NaN where a series has no value. Empty where they were not to be kept.
    ssr : ndarray, shape (N,)
        Sum of squared residuals.
    nobs : ndarray of int64, shape (N,)
        Observations of each series.
    r2 : ndarray, shape (N,)
        R squared about the mean where the regressors hold a constant, about zero otherwise.
    bandwidths : list of Bandwidth
        One per distinct sample (HAC only): the same bandwidth serves every series unless an
        automatic rule looks at the scores.
    """

    params: Array
    std_errors: Array
    residuals: Array
    ssr: Array
    nobs: NDArray[np.int64]
    r2: Array
    bandwidths: tuple[Bandwidth, ...]


def orthonormal(x: Array, names: Sequence[str] | None = None) -> tuple[Array, Array]:
    """Return Q (T x K) and upper triangular R of regressors.

    Parameters
    ----------
    x : ndarray, shape (T, K)
        Regressors.
    names : sequence of str, optional
        What a message calls them; their places by default.

    Raises
    ------
    EstimationError
        If the regressors are collinear: a scaled diagonal element of R is below 1e-10.
    """
    q, r = np.linalg.qr(x)
    scale = np.sqrt((x**2).sum(axis=0))
    ratio = np.abs(np.diag(r)) / np.where(scale > 0.0, scale, 1.0)
    if x.shape[0] < x.shape[1] or ratio.min() < _COLLINEAR:
        column = int(ratio.argmin())
        which = names[column] if names else f"column {column} (0 is the first)"
        raise EstimationError(
            f"Regressors must not be collinear; {which} is a linear combination of those before "
            "it. Leave one of them out."
        )
    return q, r


def fit_complete(
    x: Array,
    y: Array,
    *,
    covariance: CovarianceKind = "hac",
    lags: int | LagRule = 6,
    kernel: Kernel = "bartlett",
    small_sample: bool = True,
    constant: int | None = 0,
) -> Fit:
    """Return least squares of the columns of y, none with missing values, on x.

    Parameters
    ----------
    x : ndarray, shape (T, K)
        Regressors, with a column of ones if an intercept is wanted.
    y : ndarray, shape (T, N)
        Series.
    covariance : {"nonrobust", "HC0", "HC1", "HC2", "HC3", "hac"}
        Covariance of the coefficients (White 1980; MacKinnon and White 1985; Newey and West
        1987).
    lags, kernel
        For "hac"; see `alphastrata.inference.hac.select_bandwidth`.
    small_sample : bool
        Residual variance by T - K rather than T ("nonrobust"); times T / (T - K) ("hac"). HC0 to
        HC3 carry their own corrections.
    constant : int or None
        Which column of x is the intercept.

    Returns
    -------
    Fit

    Raises
    ------
    EstimationError
        If T <= K or the regressors are collinear.
    """
    n, k = x.shape
    if n <= k:
        raise EstimationError(
            f"A regression on {k} coefficients needs more than {k} observations; got {n}."
        )
    if covariance not in get_args(CovarianceKind):
        raise ConfigError(
            f"covariance must be one of {get_args(CovarianceKind)}; got {covariance!r}."
        )
    q, r = orthonormal(x)
    rotated = q.T @ y
    params = solve_triangular(r, rotated)
    projector = np.ascontiguousarray(solve_triangular(r, q.T).T)  # row t is (X'X)^-1 x_t
    residuals = x @ params
    np.subtract(y, residuals, out=residuals)
    ssr = np.einsum("tn,tn->n", residuals, residuals)
    bandwidths: tuple[Bandwidth, ...] = ()
    if covariance == "nonrobust":
        unit = (projector**2).sum(axis=0)  # diag (X'X)^-1
        variance = unit[:, None] * (ssr / (n - k if small_sample else n))
    elif covariance == "hac":
        variance, bandwidths = _hac_variance(x, projector, residuals, lags, kernel, constant)
        variance = variance * (n / (n - k) if small_sample else 1.0)
    else:
        variance = _white_variance(projector, q, residuals, covariance)
    r2 = _r_squared(q, rotated, ssr, constant)
    nobs = np.full(y.shape[1], n, dtype=np.int64)
    return Fit(params, np.sqrt(variance), residuals, ssr, nobs, r2, bandwidths)


def coefficient_covariance(
    x: Array, residuals: Array, hac: HAC, covariance: CovarianceKind = "hac"
) -> Array:
    """Return the K x K covariance of least-squares coefficients of one series.

    Parameters
    ----------
    x : ndarray, shape (T, K)
        Regressors; column 0 is the intercept for automatic lag rules.
    residuals : ndarray, shape (T,)
        Residuals.
    hac : HAC
        Lags, kernel and small-sample factor.
    covariance : {"hac", "nonrobust", "HC0", "HC1", "HC2", "HC3"}
        Kind.
    """
    n, k = x.shape
    q, r = orthonormal(x)
    projector = solve_triangular(r, q.T).T
    bread = projector.T @ projector
    if covariance == "nonrobust":
        return np.asarray(bread * (residuals @ residuals) / (n - k if hac.small_sample else n))
    scores = x * residuals[:, None]
    if covariance == "hac":
        weights = np.ones(k)
        weights[0] = 0.0 if k > 1 else 1.0
        bandwidth = select_bandwidth(scores, hac.lags, hac.kernel, weights=weights)
        middle = long_run_covariance(scores, bandwidth, hac.kernel) * n
        middle = middle * (n / (n - k) if hac.small_sample else 1.0)
    else:
        leverage = 1.0 - (q**2).sum(axis=1)
        power = {"HC0": 0.0, "HC1": 0.0, "HC2": 0.5, "HC3": 1.0}[covariance]
        scores = scores / (leverage**power)[:, None]
        middle = scores.T @ scores * (n / (n - k) if covariance == "HC1" else 1.0)
    return np.asarray(bread @ middle @ bread)


def fit_columns(
    x: Array,
    y: Array,
    *,
    covariance: CovarianceKind = "hac",
    lags: int | LagRule = 6,
    kernel: Kernel = "bartlett",
    small_sample: bool = True,
    min_periods: int | None = None,
) -> Fit:
    """Return least squares of each column of y on x, each over its own sample.

    Columns with the same missing rows are estimated together. Gaps are closed up: lags count
    observations, not dates (equal spacing in the words of Datta and Du 2012). A column with
    fewer than `min_periods` observations (at least K + 1) gets NaN.

    Parameters
    ----------
    x : ndarray, shape (T, K)
        Regressors without missing values; column 0 is the intercept.
    y : ndarray, shape (T, N)
        Series; NaN where missing.
    covariance, lags, kernel, small_sample
        See `fit_complete`.
    min_periods : int, optional
        Fewest observations of a series; K + 1 by default.

    Returns
    -------
    Fit
    """
    n_assets, k = y.shape[1], x.shape[1]
    simple = covariance == "hac" and kernel == "bartlett" and not _looks_at_scores(lags)
    if simple and n_assets > KEEP_RESIDUALS and y.shape[0] >= max(min_periods or 0, k + 1):
        together = _fit_many(x, y, lags, small_sample)
        if np.isfinite(together.ssr).all():  # a missing value would be in it
            return together
    # A finite sum says that nothing is missing, at a fraction of the cost of looking.
    if np.isfinite(y.sum()) and y.shape[0] >= max(min_periods or 0, k + 1):
        step = n_assets if n_assets <= KEEP_RESIDUALS else _BLOCK
        blocks = [
            fit_complete(
                x,
                y[:, first : first + step],
                covariance=covariance,
                lags=lags,
                kernel=kernel,
                small_sample=small_sample,
            )
            for first in range(0, n_assets, step)
        ]
        return blocks[0] if len(blocks) == 1 else _joined(blocks)
    present = ~np.isnan(y)
    fewest = max(min_periods or 0, k + 1)
    params = np.full((k, n_assets), np.nan)
    errors = np.full((k, n_assets), np.nan)
    residuals = np.full(y.shape, np.nan)
    r2 = np.full(n_assets, np.nan)
    ssr = np.full(n_assets, np.nan)
    bandwidths: list[Bandwidth] = []
    for rows, columns in _samples(present):
        if rows.size < fewest:
            continue
        part = fit_complete(
            x[rows],
            y[np.ix_(rows, columns)],
            covariance=covariance,
            lags=min(lags, rows.size - 1) if isinstance(lags, int) else lags,
            kernel=kernel,
            small_sample=small_sample,
        )
        params[:, columns] = part.params
        errors[:, columns] = part.std_errors
        residuals[np.ix_(rows, columns)] = part.residuals
        r2[columns] = part.r2
        ssr[columns] = part.ssr
        bandwidths.extend(part.bandwidths)
    nobs = present.sum(axis=0).astype(np.int64)
    return Fit(params, errors, residuals, ssr, nobs, r2, tuple(dict.fromkeys(bandwidths)))


def _fit_many(x: Array, y: Array, lags: int | LagRule, small_sample: bool) -> Fit:
    """Return Newey-West regressions of complete series, without their residuals."""
    n, k = x.shape
    q, r = orthonormal(x)
    projector = np.ascontiguousarray(solve_triangular(r, q.T).T)
    bandwidth = select_bandwidth(x, lags, "bartlett")
    by_series = y.flags.f_contiguous and not y.flags.c_contiguous
    rows = y.T if by_series else np.ascontiguousarray(y)
    rotated, ssr, variance = bartlett_fits(
        np.ascontiguousarray(q), projector, rows, max(int(bandwidth.value), 1), by_series
    )
    params = solve_triangular(r, rotated, check_finite=False)
    errors = np.sqrt(variance * (n / (n - k) if small_sample else 1.0))
    nobs = np.full(y.shape[1], n, dtype=np.int64)
    r2 = _r_squared(q, rotated, ssr, 0)
    return Fit(params, errors, np.empty((n, 0)), ssr, nobs, r2, (bandwidth,))


def _looks_at_scores(lags: int | LagRule) -> bool:
    """Return whether a rule needs the scores of each series to choose a bandwidth."""
    return isinstance(lags, str) and lags not in ("rule-of-thumb", "stock-watson")


def _joined(blocks: list[Fit]) -> Fit:
    """Return blocks of series side by side, without their residuals."""
    return Fit(
        np.concatenate([b.params for b in blocks], axis=1),
        np.concatenate([b.std_errors for b in blocks], axis=1),
        np.empty((blocks[0].residuals.shape[0], 0)),
        np.concatenate([b.ssr for b in blocks]),
        np.concatenate([b.nobs for b in blocks]),
        np.concatenate([b.r2 for b in blocks]),
        tuple(dict.fromkeys(w for b in blocks for w in b.bandwidths)),
    )


def _samples(present: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Return (rows, columns) of every distinct pattern of present values."""
    packed = np.packbits(present, axis=0).T
    _, group = np.unique(np.ascontiguousarray(packed), axis=0, return_inverse=True)
    group = group.reshape(-1)
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order])) + 1
    return [(np.flatnonzero(present[:, columns[0]]), columns) for columns in np.split(order, edges)]


def _white_variance(
    projector: Array, q: Array, residuals: Array, covariance: CovarianceKind
) -> Array:
    n, k = projector.shape
    squared = residuals**2
    if covariance == "HC1":
        squared *= n / (n - k)
    elif covariance != "HC0":
        leverage = 1.0 - (q**2).sum(axis=1)
        squared /= (leverage if covariance == "HC2" else leverage**2)[:, None]
    return np.asarray((projector**2).T @ squared)


def _hac_variance(
    x: Array,
    projector: Array,
    residuals: Array,
    lags: int | LagRule,
    kernel: Kernel,
    constant: int | None,
) -> tuple[Array, tuple[Bandwidth, ...]]:
    """Return the diagonal of the HAC covariance, (K, N), and the bandwidths used."""
    n, k = x.shape
    depends = _looks_at_scores(lags)
    if not depends:
        common = select_bandwidth(x, lags, kernel)
        if kernel == "bartlett":
            variance = bartlett_lanes(projector, residuals, int(common.value))
            return variance, (common,)
    rule_weights = np.ones(k)
    if constant is not None and k > 1:
        rule_weights[constant] = 0.0  # as R's sandwich
    variance = np.empty((k, residuals.shape[1]))
    bandwidths: list[Bandwidth] = []
    for asset in range(residuals.shape[1]):
        e = residuals[:, asset, None]
        if depends:
            bandwidths.append(select_bandwidth(x * e, lags, kernel, weights=rule_weights))
        else:
            bandwidths.append(common)
        # Whitening is not invariant to a change of basis: the scores themselves go in.
        middle = long_run_covariance(x * e, bandwidths[-1], kernel) * n
        bread = projector.T @ projector
        variance[:, asset] = np.einsum("ij,jk,ik->i", bread, middle, bread)
    return variance, tuple(dict.fromkeys(bandwidths))


def _r_squared(q: Array, rotated: Array, ssr: Array, constant: int | None) -> Array:
    """Return 1 - SSR / TSS; the total is the residual plus what orthonormal columns explain."""
    explained = (rotated**2).sum(axis=0)
    if constant is not None:
        # The part of y along the constant, whatever column it is.
        explained = explained - (q.sum(axis=0) @ rotated) ** 2 / len(q)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 - ssr / (ssr + explained))
