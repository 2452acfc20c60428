"""Cross-products by date gathered from separate columns, and the regressions solved from them.

The numbers behind Fama-MacBeth and behind a thousand specifications at once. Rows are sorted by
date. Some dates at a time, on every core, are copied into a block that stays in cache, and
`alphastrata.core.crossproducts.normal_equations` sums their products, shifted by a pilot mean so
that slopes keep full accuracy when a column's mean is large against its spread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from alphastrata.core.crossproducts import CrossProducts, normal_equations
from alphastrata.core.threads import each
from alphastrata.inference.small_systems import solve_scaled

__all__ = ["PIVOT", "Lagged", "Rows", "Slopes", "moments_by_date", "slopes_by_date", "unshifted"]

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]

PIVOT = 1e-5
"""A date goes through QR where a regressor's share of variance that the regressors before it
leave unexplained falls below this. The error of slopes from cross-products is about machine
precision over the pivot, so some 1e-11 at most."""

_BLOCK_VALUES = 600_000


class Rows(Protocol):
    """A column that gives any stretch of its rows: an array, or one read through a lag."""

    def __getitem__(self, part: slice, /) -> Array:
        """Return the values of these rows."""


@dataclass(frozen=True)
class Lagged:
    """A column read at other rows, without copying it whole.

    Attributes
    ----------
    values : ndarray, shape (n,)
        The column.
    rows : ndarray of int64, shape (n,)
        Where each row reads; -1 reads as missing.
    """

    values: Array
    rows: Int64

    def __getitem__(self, part: slice) -> Array:
        """Return the values that these rows read."""
        return np.asarray(_gather(self.values, self.rows[part]))


@dataclass(frozen=True)
class Slopes:
    """Cross-sectional regressions of all dates.

    Attributes
    ----------
    params : ndarray, shape (D, k) or (D, k + 1)
        Coefficients, the intercept first where there is one; NaN where not estimated.
    r2 : ndarray, shape (D,)
        R squared, about the mean with an intercept and about zero without.
    pivot : ndarray, shape (D,)
        Smallest pivot of the scaled cross-products; 0 where a regressor does not vary, NaN where
        a date has too few rows.
    """

    params: Array
    r2: Array
    pivot: Array


def moments_by_date(
    columns: Sequence[Rows], offsets: Int64, weights: Rows | None = None
) -> CrossProducts:
    """Return the cross-products of columns for each date, over rows where all are present.

    Parameters
    ----------
    columns : sequence of p ndarrays of float64, shape (n,), or Lagged
        Columns in rows sorted by date; NaN where missing.
    offsets : ndarray of int64, shape (D + 1,)
        Date d holds rows offsets[d] to offsets[d + 1] - 1.
    weights : ndarray, shape (n,), optional
        Positive weights; a row whose weight is missing is left out.

    Returns
    -------
    CrossProducts
        Counts, pilots and moments of (1, column - pilot) by date.

    Examples
    --------
    >>> x = np.array([1.0, 2.0, 4.0])
    >>> moments = moments_by_date([x], np.array([0, 3]))
    >>> int(moments.count[0]), round(float(moments.moments[0, 1, 1]), 6)
    (3, 4.666667)
    """
    blocks = _blocks(offsets, max(_BLOCK_VALUES // max(len(columns), 1), 1))
    parts = each(partial(_moments_of_block, columns, offsets, weights), blocks)
    return CrossProducts(
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.pilot for part in parts]),
        np.concatenate([part.moments for part in parts]),
    )


def _blocks(offsets: Int64, rows_at_once: int) -> list[tuple[int, int]]:
    """Return ranges of dates [first, last) of about so many rows, one date at least."""
    n_dates, first = offsets.size - 1, 0
    blocks: list[tuple[int, int]] = []
    while first < n_dates or not blocks:
        last = int(np.searchsorted(offsets, offsets[first] + rows_at_once, side="right")) - 1
        last = min(max(last, first + 1), n_dates)
        blocks.append((first, last))
        first = last
    return blocks


def _moments_of_block(
    columns: Sequence[Rows], offsets: Int64, weights: Rows | None, block: tuple[int, int]
) -> CrossProducts:
    """Copy the columns of some dates into one block, and return their cross-products."""
    first, last = block
    low, high = int(offsets[first]), int(offsets[last])
    values = np.empty((len(columns), high - low))
    for c, column in enumerate(columns):
        values[c] = column[low:high]
    return normal_equations(
        values,
        offsets[first : last + 1] - low,
        weights=None if weights is None else weights[low:high],
    )


def unshifted(products: CrossProducts) -> CrossProducts:
    """Return raw cross-products: what a regression without an intercept is solved from."""
    total = products.moments[:, 0, 0, None, None]
    full = np.concatenate([np.zeros((len(products.count), 1)), products.pilot], axis=1)
    shifted = products.moments.copy()
    outer = full[:, :, None] * products.moments[:, 0, None, :]
    raw = shifted + outer + outer.transpose(0, 2, 1) + total * full[:, :, None] * full[:, None, :]
    # Column 0 is the constant: its pilot is zero, so row 0 gets n * pilot from `outer`.
    return CrossProducts(products.count, np.zeros_like(products.pilot), raw)


def slopes_by_date(
    products: CrossProducts, x: Sequence[int], y: int, *, intercept: bool = True
) -> Slopes:
    """Return the regression of column y on columns x for every date, from cross-products.

    Parameters
    ----------
    products : CrossProducts
        Cross-products of all columns.
    x : sequence of int
        Positions of the regressors among the columns.
    y : int
        Position of the dependent variable.
    intercept : bool
        Whether there is one.

    Returns
    -------
    Slopes
        Dates with no more rows than coefficients are NaN; dates whose pivot is below `PIVOT`
        are solved as well, and are for the caller to refine.
    """
    chosen = np.asarray(list(x), dtype=np.int64)
    usable = products if intercept else unshifted(products)
    return Slopes(*_solve(usable.moments, usable.pilot, usable.count, chosen, y, intercept))


@njit(cache=True, nogil=True)
def _gather(values: Array, rows: Int64) -> Array:
    out = np.empty(rows.size)
    for i in range(rows.size):
        out[i] = values[rows[i]] if rows[i] >= 0 else np.nan
    return out


@njit(cache=True, nogil=True)
def _centred(
    products: Array, x: Int64, y: int, intercept: bool, gram: Array, target: Array
) -> float:
    """Fill products of x with x and y about their means; return the variance of y, or -1.

    -1 says that some x does not vary: only rounding error of its squares is left.
    """
    total = products[0, 0]
    mean_y = products[0, y + 1] / total if intercept else 0.0
    for i in range(x.size):
        mean = products[0, x[i] + 1] / total if intercept else 0.0
        for j in range(i + 1):
            gram[i, j] = products[x[i] + 1, x[j] + 1] - mean * products[0, x[j] + 1]
        target[i] = products[x[i] + 1, y + 1] - mean * products[0, y + 1]
        if not gram[i, i] > 1e-28 * products[x[i] + 1, x[i] + 1]:
            return -1.0
    return products[y + 1, y + 1] - mean_y * products[0, y + 1]


@njit(cache=True, nogil=True)
def _solve(
    products: Array, pilot: Array, count: Int64, x: Int64, y: int, intercept: bool
) -> tuple[Array, Array, Array]:
    n_dates, k = count.size, x.size
    lead = 1 if intercept else 0
    params = np.full((n_dates, k + lead), np.nan)
    r2 = np.full(n_dates, np.nan)
    pivot = np.full(n_dates, np.nan)
    gram, factor = np.zeros((k, k)), np.zeros((k, k))
    target, beta = np.zeros(k), np.zeros(k)
    for d in range(n_dates):
        if count[d] <= k + lead:
            continue
        variance = _centred(products[d], x, y, intercept, gram, target)
        if variance < 0.0:
            pivot[d] = 0.0
            continue
        pivot[d] = solve_scaled(gram, target, factor, beta)
        total = products[d, 0, 0]
        level = products[d, 0, y + 1] / total + pilot[d, y]
        explained = 0.0
        for i in range(k):
            params[d, i + lead] = beta[i]
            explained += beta[i] * target[i]
            level -= beta[i] * (products[d, 0, x[i] + 1] / total + pilot[d, x[i]])
        if intercept:
            params[d, 0] = level
        if variance > 0.0:
            r2[d] = explained / variance
    return params, r2, pivot
