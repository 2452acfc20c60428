"""One regression per date: rows paired with a lag, cross-products, and QR where they fall short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alphastrata.inference.moments import PIVOT, Rows, moments_by_date, slopes_by_date

__all__ = ["ByDate", "lagged_positions", "regress_by_date"]

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

_COLLINEAR = 1e-9


@dataclass(frozen=True)
class ByDate:
    """Cross-sectional regressions of D dates.

    Attributes
    ----------
    params : ndarray, shape (D, k)
        Coefficients, the intercept first where there is one; NaN on skipped dates.
    r2 : ndarray, shape (D,)
        R squared.
    count : ndarray of int64, shape (D,)
        Complete rows.
    reasons : dict of int to str
        Why a date was skipped.
    refined : ndarray of int64
        Dates that went through QR.
    """

    params: Array
    r2: Array
    count: Int64
    reasons: dict[int, str]
    refined: Int64


def lagged_positions(asset_codes: Int64, offsets: Int64, lag: int) -> Int64:
    """Return, for each row, the same asset's row `lag` dates earlier, -1 where there is none.

    Parameters
    ----------
    asset_codes : ndarray of int64, shape (n,)
        Ascending within each date.
    offsets : ndarray of int64, shape (D + 1,)
        Row bounds by date.
    lag : int
        Dates back, at least 0.

    Examples
    --------
    >>> lagged_positions(np.array([0, 1, 1, 2]), np.array([0, 2, 4]), 1).tolist()
    [-1, -1, 1, -1]
    """
    return np.asarray(_merge(asset_codes, offsets, lag))


def regress_by_date(
    y: Rows,
    x: Sequence[Rows],
    offsets: Int64,
    *,
    intercept: bool = True,
    weights: Rows | None = None,
    min_rows: int = 0,
) -> ByDate:
    """Return the (weighted) least squares regression of y on x for each date.

    Parameters
    ----------
    y : ndarray, shape (n,)
        Dependent variable in rows sorted by date; NaN where missing.
    x : sequence of k ndarrays, shape (n,), or Lagged
        Regressors.
    offsets : ndarray of int64, shape (D + 1,)
        Row bounds by date.
    intercept : bool
        Whether to add one.
    weights : ndarray, shape (n,), optional
        Positive weights; rows with a missing weight are left out.
    min_rows : int
        Fewest complete rows of a date.

    Returns
    -------
    ByDate

    Notes
    -----
    A date is solved from cross-products shifted by a pilot mean. Where the smallest pivot of the
    scaled products is below 1e-5 it is solved again by QR of its centred and scaled rows; where
    QR finds a regressor that the others explain to 1e-9, the date is skipped as collinear.
    """
    products = moments_by_date([*x, y], offsets, weights)
    k = len(x) + int(intercept)
    if x:
        slopes = slopes_by_date(products, range(len(x)), len(x), intercept=intercept)
        params, r2, pivot = slopes.params, slopes.r2, slopes.pivot
    else:
        level = products.moments[:, 0, 1] / np.maximum(products.moments[:, 0, 0], 1e-300)
        params = np.where(products.count > 0, level + products.pilot[:, 0], np.nan)[:, None]
        r2, pivot = np.zeros(len(level)), np.ones(len(level))
    reasons: dict[int, str] = {}
    for d in map(int, np.flatnonzero((products.count <= k) | (products.count < min_rows))):
        rows = int(products.count[d])
        reasons[d] = (
            "no complete rows"
            if rows == 0
            else f"{rows} complete rows for {k} coefficients"
            if rows <= k
            else f"{rows} complete rows, fewer than {min_rows}"
        )
    refined: list[int] = []
    for d in map(int, np.flatnonzero(pivot < PIVOT)):
        if d in reasons:
            continue
        rows_d = slice(int(offsets[d]), int(offsets[d + 1]))
        w = None if weights is None else weights[rows_d]
        solved = _by_qr(y[rows_d], [c[rows_d] for c in x], intercept, w)
        if solved is None:
            reasons[d] = "collinear regressors"
        else:
            params[d], r2[d] = solved
            refined.append(d)
    params[list(reasons)], r2[list(reasons)] = np.nan, np.nan
    return ByDate(params, r2, products.count, reasons, np.array(refined, dtype=np.int64))


def _by_qr(
    y: Array, x: Sequence[Array], intercept: bool, weights: Array | None
) -> tuple[Array, float] | None:
    """Return coefficients and R squared of one date, or None where regressors are collinear."""
    matrix = np.column_stack([*x, y])
    w = np.ones(len(y)) if weights is None else weights
    kept = ~(np.isnan(matrix).any(axis=1) | np.isnan(w))
    matrix, w = matrix[kept], w[kept]
    centre = np.zeros(matrix.shape[1])
    if intercept:
        # Twice: the second mean removes what rounding left of the first.
        centre = np.average(matrix, axis=0, weights=w)
        centre = centre + np.average(matrix - centre, axis=0, weights=w)
    root = np.sqrt(w)[:, None]
    rows = (matrix - centre) * root
    left, right = rows[:, :-1], rows[:, -1]
    scale = np.sqrt((left**2).sum(axis=0))
    size = np.sqrt((matrix[:, :-1] ** 2 * w[:, None]).sum(axis=0))
    if (scale <= 1e-14 * size).any():
        return None
    q, r = np.linalg.qr(left / scale)
    if np.abs(np.diag(r)).min() < _COLLINEAR:
        return None
    slopes = np.linalg.solve(r, q.T @ right) / scale
    residuals = right - left @ slopes
    with np.errstate(divide="ignore", invalid="ignore"):
        r2 = float(1.0 - residuals @ residuals / (right @ right))
    if not intercept:
        return slopes, r2
    return np.concatenate([[centre[-1] - centre[:-1] @ slopes], slopes]), r2


@njit(cache=True, nogil=True)
def _merge(asset_codes: Int64, offsets: Int64, lag: int) -> Int64:
    out = np.full(asset_codes.size, -1, dtype=np.int64)
    for d in range(lag, offsets.size - 1):
        behind = offsets[d - lag]
        end = offsets[d - lag + 1]
        for row in range(offsets[d], offsets[d + 1]):
            code = asset_codes[row]
            while behind < end and asset_codes[behind] < code:
                behind += 1
            if behind < end and asset_codes[behind] == code:
                out[row] = behind
    return out
