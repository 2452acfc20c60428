"""Sorting long rows by (date, asset) with two counting passes, and finding rows again."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Int64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _counting_pass(order: Int64, codes: Int64, n_groups: int) -> Int64:  # type: ignore[misc,unused-ignore]
    start = np.zeros(n_groups + 1, dtype=np.int64)
    for i in range(order.size):
        start[codes[order[i]] + 1] += 1
    for g in range(n_groups):
        start[g + 1] += start[g]
    out = np.empty_like(order)
    for i in range(order.size):
        g = codes[order[i]]
        out[start[g]] = order[i]
        start[g] += 1
    return out


def sort_by(major: Int64, minor: Int64, n_major: int, n_minor: int) -> Int64:
    """Return the stable order of rows by (major, minor) code, in O(rows).

    Parameters
    ----------
    major, minor
        Codes of the two keys, shape (n,), in 0..n_major-1 and 0..n_minor-1.
    n_major, n_minor
        How many distinct codes there may be.

    Returns
    -------
    ndarray of int64, shape (n,)
        Row positions, as ``np.lexsort((minor, major))`` gives them.
    """
    order = np.arange(major.size, dtype=np.int64)
    return _counting_pass(_counting_pass(order, minor, n_minor), major, n_major)


@njit(cache=True, nogil=True)
def in_order(major: Int64, minor: Int64) -> bool:
    """Return whether rows ascend by (major, minor) code, equal pairs allowed.

    Parameters
    ----------
    major, minor
        Codes of the two keys, shape (n,).

    Examples
    --------
    >>> in_order(np.array([0, 0, 1]), np.array([1, 2, 0]))
    True
    """
    for i in range(1, major.size):
        if major[i] < major[i - 1] or (major[i] == major[i - 1] and minor[i] < minor[i - 1]):
            return False
    return True


def offsets_of(codes: Int64, n_groups: int) -> Int64:
    """Return the bounds of each group in ascending codes, shape (n_groups + 1,)."""
    return np.searchsorted(codes, np.arange(n_groups + 1)).astype(np.int64)


@njit(cache=True, nogil=True)
def lookup(offsets: Int64, asset_codes: Int64, want_dates: Int64, want_assets: Int64) -> Int64:
    """Return the row of each wanted (date code, asset code), -1 where there is none.

    Parameters
    ----------
    offsets
        Row bounds by date, shape (n_dates + 1,).
    asset_codes
        Asset code of each row, ascending within a date, shape (n_rows,).
    want_dates, want_assets
        Codes to look for, shape (m,); a code outside the range finds nothing.
    """
    n_dates = offsets.size - 1
    out = np.full(want_dates.size, -1, dtype=np.int64)
    for i in range(want_dates.size):
        d = want_dates[i]
        if d < 0 or d >= n_dates:
            continue
        low, high, a = offsets[d], offsets[d + 1], want_assets[i]
        end = high
        while low < high:
            mid = (low + high) // 2
            if asset_codes[mid] < a:
                low = mid + 1
            else:
                high = mid
        if low < end and asset_codes[low] == a:
            out[i] = low
    return out
