"""Bartlett sums of many series: of residuals that are there, and of whole regressions at once.

In `bartlett_fits` series go through in tiles that stay in cache: a tile is read once, and neither
residuals nor window sums reach main memory.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

__all__ = ["TILE", "bartlett_fits", "bartlett_lanes"]

Array = NDArray[np.float64]
TILE = 192
"""Series at a time: the residuals of 600 dates are under a megabyte."""


@njit(cache=True, nogil=True, fastmath={"contract"})
def bartlett_fits(
    q: Array, projector: Array, y: Array, width: int, by_series: bool = False
) -> tuple[Array, Array, Array]:
    """Return rotated coefficients, sums of squared residuals and Bartlett variances.

    Parameters
    ----------
    q : ndarray, shape (T, K)
        Orthonormal regressors.
    projector : ndarray, shape (T, K)
        Row t is (X'X)^-1 x_t.
    y : ndarray, shape (T, N), or (N, T)
        Series; one with a missing value gets NaN throughout.
    width : int
        Lags plus one.
    by_series : bool
        Whether each row of y is a series, as in frames that were made column by column.

    Returns
    -------
    rotated : ndarray, shape (K, N)
        q'y.
    ssr : ndarray, shape (N,)
    variance : ndarray, shape (K, N)
        Diagonal of (X'X)^-1 (sum_l w_l S_l) (X'X)^-1, without a small-sample factor.

    Notes
    -----
    The outer products of sums over `width` consecutive zero-padded scores count the pair (t, t - l)
    exactly width - l times: their sum over width is the Bartlett estimate.
    """
    n, k = q.shape
    n_assets = y.shape[0] if by_series else y.shape[1]
    rotated = np.zeros((k, n_assets))
    ssr = np.zeros(n_assets)
    variance = np.zeros((k, n_assets))
    errors = np.zeros((n + width, TILE))  # rows before `width` are the padding in front
    level = np.zeros((k, TILE))
    window = np.zeros((k, TILE))
    squares = np.zeros((k, TILE))
    total = np.zeros(TILE)
    for first in range(0, n_assets, TILE):
        size = min(TILE, n_assets - first)
        level[:] = 0.0
        window[:] = 0.0
        squares[:] = 0.0
        total[:] = 0.0
        _load(errors[width:], y, first, size, by_series)
        for t in range(n):
            row = errors[width + t]
            for j in range(k):
                _add_product(level[j], q[t, j], row)
        for t in range(n):
            row = errors[width + t]
            for j in range(k):
                _add_product(row, -q[t, j], level[j])
            _add_square(total, row)
            old = errors[t]
            for j in range(k):
                leaving = projector[t - width, j] if t >= width else 0.0
                _step(window[j], squares[j], projector[t, j], row, leaving, old)
        for t in range(n, n + width - 1):
            for j in range(k):
                leaving = projector[t - width, j] if t >= width else 0.0
                _step(window[j], squares[j], 0.0, errors[t], leaving, errors[t])
        for lane in range(size):
            ssr[first + lane] = total[lane]
            for j in range(k):
                rotated[j, first + lane] = level[j, lane]
                variance[j, first + lane] = squares[j, lane] / width
    return rotated, ssr, variance


@njit
def _load(tile: Array, y: Array, first: int, size: int, by_series: bool) -> None:
    if by_series:
        # Eight series side by side fill a line of the cache before it leaves.
        for group in range(0, size, 8):
            series = y[first + group : first + min(group + 8, size)]
            part = tile[:, group : group + series.shape[0]]
            for t in range(part.shape[0]):
                for lane in range(series.shape[0]):
                    part[t, lane] = series[lane, t]
    else:
        for t in range(tile.shape[0]):
            # A view from zero on: with an offset inside, the loop would not become vectors.
            tile[t, :size] = y[t, first : first + size]


@njit(inline="always")
def _add_product(into: Array, factor: float, row: Array) -> None:
    for lane in range(TILE):
        into[lane] += factor * row[lane]


@njit(inline="always")
def _add_square(into: Array, row: Array) -> None:
    for lane in range(TILE):
        into[lane] += row[lane] * row[lane]


@njit(inline="always")
def _step(
    window: Array, squares: Array, weight: float, new: Array, leaving: float, old: Array
) -> None:
    """Move the window sums of a tile by one date and add their squares."""
    for lane in range(TILE):
        moved = window[lane] + (weight * new[lane] - leaving * old[lane])
        window[lane] = moved
        squares[lane] += moved * moved


@njit(cache=True, nogil=True, fastmath={"contract"})
def bartlett_lanes(projector: Array, residuals: Array, width: int) -> Array:
    """Return sum over windows of (sum of projector * residual)^2 / width, shape (K, N).

    Windows hold `width` consecutive zero-padded scores. A chunk of series is copied into tiles
    of eight that stay in cache; the eight go side by side through one vector register.
    """
    n, k = projector.shape
    n_assets = residuals.shape[1]
    result = np.empty((k, n_assets))
    tiles = np.zeros((16, n + 2 * width, 8))
    padded = np.zeros((k, n + 2 * width))
    padded[:, width : width + n] = projector.T
    for chunk in range(0, n_assets, 128):
        size = min(128, n_assets - chunk)
        for t in range(n):
            for lane in range(size):
                tiles[lane >> 3, width + t, lane & 7] = residuals[t, chunk + lane]
        for block in range((size + 7) // 8):
            first = chunk + 8 * block
            lanes = min(8, n_assets - first)
            for j in range(k):
                sums = _window_squares(tiles[block], padded[j], width)
                for lane in range(lanes):
                    result[j, first + lane] = sums[lane] / width
    return result


@njit(inline="always")
def _window_squares(
    tile: Array, weights: Array, width: int
) -> tuple[float, float, float, float, float, float, float, float]:
    """Return, for eight series, the sum of squares of their weighted window sums.

    Written out by lane: that keeps the running sums in registers.
    """
    r0 = r1 = r2 = r3 = r4 = r5 = r6 = r7 = 0.0
    q0 = q1 = q2 = q3 = q4 = q5 = q6 = q7 = 0.0
    for t in range(width, tile.shape[0] - 1):
        new, old, a, b = tile[t], tile[t - width], weights[t], weights[t - width]
        r0 += a * new[0] - b * old[0]
        r1 += a * new[1] - b * old[1]
        r2 += a * new[2] - b * old[2]
        r3 += a * new[3] - b * old[3]
        r4 += a * new[4] - b * old[4]
        r5 += a * new[5] - b * old[5]
        r6 += a * new[6] - b * old[6]
        r7 += a * new[7] - b * old[7]
        q0 += r0 * r0
        q1 += r1 * r1
        q2 += r2 * r2
        q3 += r3 * r3
        q4 += r4 * r4
        q5 += r5 * r5
        q6 += r6 * r6
        q7 += r7 * r7
    return q0, q1, q2, q3, q4, q5, q6, q7
