"""The arithmetic of statement items: pure functions of arrays, in which nothing divides by zero.

A ratio whose denominator is zero or negative has no meaning that sorts assets (a loss is not a
very low price-earnings ratio), so it is missing, and `alphastrata.features.compute` counts it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# A fiscal year may end some weeks earlier or later than a year ago (52-53-week years, a moved
# year end); half a quarter keeps the neighbouring quarters out.
YEAR_DAYS, YEAR_SLACK = 365, 45


def ratio(numerator: Float64, denominator: Float64) -> Float64:
    """Return numerator / denominator where the denominator is positive, else missing.

    Parameters
    ----------
    numerator, denominator
        Arrays of one shape.

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0, 1.0]), np.array([2.0, 0.0, -2.0]))
    array([0.5, nan, nan])
    """
    with np.errstate(all="ignore"):
        return np.where(denominator > 0, numerator / denominator, np.nan)


def log(values: Float64) -> Float64:
    """Return the natural logarithm where the value is positive, else missing."""
    with np.errstate(all="ignore"):
        return np.where(values > 0, np.log(values), np.nan)


def positive(values: Float64) -> Float64:
    """Return the value where it is positive, else missing."""
    return np.where(values > 0, values, np.nan)


def is_zero(values: Float64) -> Float64:
    """Return 1 where the value is zero, 0 where it is not, missing where it is missing."""
    return np.where(np.isnan(values), np.nan, values == 0)


def sum_present(*items: Float64) -> Float64:
    """Return the sum of the items that are present, missing where none is.

    Fama and French (2015) treat missing expenses so: at least one of cost of goods sold, selling,
    general and administrative expenses, and interest has to be there, the rest count as zero.

    Examples
    --------
    >>> sum_present(np.array([1.0, np.nan, np.nan]), np.array([2.0, 3.0, np.nan]))
    array([ 3.,  3., nan])
    """
    total = np.zeros_like(items[0])
    seen = np.zeros(items[0].shape, dtype=bool)
    for item in items:
        here = ~np.isnan(item)
        total += np.where(here, item, 0.0)
        seen |= here
    return np.where(seen, total, np.nan)


@njit(cache=True, nogil=True)
def year_ago_rows(order: Int64, offsets: Int64, days: Int64, ages: Float64) -> Int64:
    """Return the row that shows the statement of one year earlier, -1 where none does.

    Parameters
    ----------
    order
        Row positions sorted by (asset, date), shape (n_rows,).
    offsets
        Bounds of each asset in ``order``, shape (n_assets + 1,).
    days
        Date of each row in days, shape (n_rows,).
    ages
        Days from the statement's period end to the row's date, shape (n_rows,); a missing age
        finds nothing.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        The asset's latest row, at or before the row's date, whose statement ended 320 to 410 days
        before the row's own statement.

    Notes
    -----
    Going twelve rows back instead would compare a statement with itself, or with one of two years
    earlier, whenever a filing came later or sooner than the year before.
    """
    out = np.full(order.size, -1, dtype=np.int64)
    for a in range(offsets.size - 1):
        for i in range(offsets[a], offsets[a + 1]):
            row = order[i]
            if np.isnan(ages[row]):
                continue
            ended = days[row] - ages[row]
            before = order[i - 1] if i > offsets[a] else -1
            if before >= 0 and days[before] - ages[before] == ended:
                # The same statement as in the row before, which cannot be its own year-ago row.
                out[row] = out[before]
                continue
            earliest = ended - YEAR_DAYS - YEAR_SLACK
            j = i - 1
            # A statement is not known before its period ends, so older rows cannot show it.
            while j >= offsets[a] and days[order[j]] >= earliest:
                gap = ended - (days[order[j]] - ages[order[j]])
                if abs(gap - YEAR_DAYS) <= YEAR_SLACK:
                    out[row] = order[j]
                    break
                j -= 1
    return out
