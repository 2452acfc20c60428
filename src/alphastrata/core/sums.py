"""Sums that carry their rounding error along, so that the order of terms does not change a bit."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def plus(high: float, low: float, x: float) -> tuple[float, float]:
    """Return a sum and what its rounding lost after adding ``x`` (Knuth's two-sum).

    Parameters
    ----------
    high, low
        The sum so far, and what it lost so far; both 0 to begin with. Their sum is the result.
    x
        The term to add.

    References
    ----------
    Ogita, Rump and Oishi (2005), "Accurate sum and dot product", SIAM Journal on Scientific
    Computing 26: as if added in twice the precision.

    Examples
    --------
    >>> high, low = plus(1e16, 0.0, 1.0)
    >>> high, low = plus(high, low, -1e16)
    >>> high + low
    1.0
    """
    total = high + x
    part = total - high
    return total, low + ((high - (total - part)) + (x - part))


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def sums_by_cell(cells: Int64, values: Float64, n_cells: int) -> Float64:
    """Return the sum of the values of each cell, as `numpy.bincount` does, whatever their order.

    Parameters
    ----------
    cells, values
        Cell 0..n_cells-1 and value of each term, shape (n,).
    n_cells
        How many cells there are.

    Examples
    --------
    >>> sums_by_cell(np.array([0, 1, 0]), np.array([1.0, 2.0, 3.0]), 2).tolist()
    [4.0, 2.0]
    """
    high, low = np.zeros(n_cells), np.zeros(n_cells)
    for i in range(cells.size):
        k = cells[i]
        high[k], low[k] = plus(high[k], low[k], values[i])
    return high + low
