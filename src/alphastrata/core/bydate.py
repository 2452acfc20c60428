"""Kernels over rows grouped by date: the same thing for each date, done once for all.

Every function takes ``values`` of shape (n,), sorted by date, and ``offsets`` of shape
(n_dates + 1,): the rows of date d are ``values[offsets[d]:offsets[d + 1]]``, possibly none.
A missing value is NaN. Sums run on one thread and carry their rounding error along, so that the
same rows give the same bits in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numba import njit

from alphastrata.core.grouping import Int64
from alphastrata.core.sums import plus
from alphastrata.errors import ConfigError

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ByStratum:
    """Weighted means by date and stratum.

    Attributes
    ----------
    mean, weight
        Shape (n_dates, n_strata): weighted mean (NaN where no weight) and sum of weights.
    count
        Shape (n_dates, n_strata), int64: rows that entered.
    """

    mean: Float64
    weight: Float64
    count: Int64


@njit(cache=True, nogil=True)
def _rank(values: Float64, offsets: Int64, pct: bool) -> Float64:
    out = np.full(values.size, np.nan)
    for d in range(offsets.size - 1):
        first, last = offsets[d], offsets[d + 1]
        order = np.argsort(values[first:last])
        n = 0
        while n < order.size and not np.isnan(values[first + order[n]]):
            n += 1
        i = 0
        while i < n:
            j = i
            while j + 1 < n and values[first + order[j + 1]] == values[first + order[i]]:
                j += 1
            mean_rank = (i + j) / 2.0 + 1.0
            for k in range(i, j + 1):
                out[first + order[k]] = mean_rank / n if pct else mean_rank
            i = j + 1
    return out


def rank(values: Float64, offsets: Int64, *, pct: bool = False) -> Float64:
    """Return each value's rank within its date, 1 for the smallest, ties averaged.

    Parameters
    ----------
    values, offsets
        Rows by date, as the module says.
    pct
        Divide by the number of values on the date.

    Returns
    -------
    ndarray, shape (n,)
        NaN stays NaN.

    Examples
    --------
    >>> rank(np.array([3.0, 1.0, 3.0]), np.array([0, 3])).tolist()
    [2.5, 1.0, 2.5]
    """
    return _rank(values, offsets, pct)


@njit(cache=True, nogil=True)
def _pick(
    ordered: Float64, offsets: Int64, valid: Int64, numerator: Int64, denominator: Int64
) -> Float64:
    out = np.full((offsets.size - 1, numerator.size), np.nan)
    for d in range(offsets.size - 1):
        n = valid[d]
        if n == 0:
            continue
        base = offsets[d]
        for q in range(numerator.size):
            whole = numerator[q] * (n - 1)
            i = whole // denominator[q]
            t = (whole - i * denominator[q]) / denominator[q]
            low = ordered[base + i]
            if t == 0.0:
                out[d, q] = low
                continue
            high = ordered[base + i + 1]
            # NumPy's lerp: from the nearer end, so that t -> 1 reaches the upper value.
            if t < 0.5:
                out[d, q] = low + (high - low) * t
            else:
                out[d, q] = high - (high - low) * (1.0 - t)
    return out


def as_fractions(probs: Sequence[Fraction | float]) -> list[Fraction]:
    """Return probabilities as exact fractions, ascending; 0.3 becomes 3/10.

    Raises
    ------
    ConfigError
        When they do not ascend strictly between 0 and 1.
    """
    exact = [Fraction(p).limit_denominator(1_000_000) for p in probs]
    if not exact or not all(a < b for a, b in zip([Fraction(0), *exact], [*exact, Fraction(1)])):
        raise ConfigError(
            f"Breakpoints ascend strictly between 0 and 1; got {[float(p) for p in probs]}."
        )
    return exact


def breakpoints(
    values: Float64,
    offsets: Int64,
    probs: Sequence[Fraction | float],
    *,
    eligible: Bool | None = None,
) -> Float64:
    """Return quantiles by date, linearly interpolated as `numpy.quantile` does.

    Positions are computed as exact fractions of whole numbers, so that a breakpoint that falls
    on an asset equals that asset's value to the last bit.

    Parameters
    ----------
    values, offsets
        Rows by date, as the module says.
    probs
        Ascending probabilities strictly between 0 and 1; ``Fraction(1, 5)`` or ``0.2``.
    eligible
        Rows that may set breakpoints (NYSE stocks, say), shape (n,); all when None.

    Returns
    -------
    ndarray, shape (n_dates, len(probs))
        NaN on dates without an eligible value.

    Examples
    --------
    >>> breakpoints(np.array([1.0, 2.0, 3.0, 4.0, 9.0]), np.array([0, 5]), [0.5]).tolist()
    [[3.0]]
    """
    exact = as_fractions(probs)
    ordered = values.copy() if eligible is None else np.where(eligible, values, np.nan)
    missing = np.isnan(ordered)
    valid = np.diff(offsets) - np.diff(np.concatenate(([0], np.cumsum(missing)))[offsets])
    bounds = offsets.tolist()
    for first, last in pairwise(bounds):
        ordered[first:last].sort()  # NaN goes last
    numerator = np.array([p.numerator for p in exact], dtype=np.int64)
    denominator = np.array([p.denominator for p in exact], dtype=np.int64)
    return _pick(ordered, offsets, valid.astype(np.int64), numerator, denominator)


@njit(cache=True, nogil=True)
def _assign(values: Float64, offsets: Int64, breaks: Float64) -> Int64:
    out = np.zeros(values.size, dtype=np.int64)
    for d in range(offsets.size - 1):
        if np.isnan(breaks[d]).any():
            continue
        for i in range(offsets[d], offsets[d + 1]):
            if not np.isnan(values[i]):
                label = 1
                for q in range(breaks.shape[1]):
                    label += values[i] >= breaks[d, q]
                out[i] = label
    return out


def assign(values: Float64, offsets: Int64, breaks: Float64) -> Int64:
    """Return the stratum of each value: one plus the number of breakpoints <= value.

    Parameters
    ----------
    values, offsets
        Rows by date, as the module says.
    breaks
        Ascending breakpoints by date, shape (n_dates, q).

    Returns
    -------
    ndarray of int64, shape (n,)
        1..q+1, and 0 for a missing value or a date without breakpoints. A value that equals a
        breakpoint belongs to the upper stratum.

    Examples
    --------
    >>> assign(np.array([1.0, 3.0, np.nan]), np.array([0, 3]), np.array([[3.0]])).tolist()
    [1, 2, 0]
    """
    return _assign(values, offsets, np.ascontiguousarray(breaks))


@njit(cache=True, nogil=True)
def _weighted_sums(
    values: Float64, weights: Float64, labels: Int64, offsets: Int64, n_strata: int
) -> tuple[Float64, Float64, Int64]:
    n_dates = offsets.size - 1
    total, lost = np.zeros((n_dates, n_strata)), np.zeros((n_dates, n_strata))
    weight, slack = np.zeros((n_dates, n_strata)), np.zeros((n_dates, n_strata))
    count = np.zeros((n_dates, n_strata), dtype=np.int64)
    for d in range(n_dates):
        for i in range(offsets[d], offsets[d + 1]):
            k = labels[i] - 1
            if k >= 0 and not np.isnan(values[i]) and not np.isnan(weights[i]):
                total[d, k], lost[d, k] = plus(total[d, k], lost[d, k], weights[i] * values[i])
                weight[d, k], slack[d, k] = plus(weight[d, k], slack[d, k], weights[i])
                count[d, k] += 1
    return total + lost, weight + slack, count


def weighted_mean(
    values: Float64,
    weights: Float64,
    labels: npt.NDArray[np.integer],
    offsets: Int64,
    n_strata: int,
) -> ByStratum:
    """Return weighted means by date and stratum.

    Parameters
    ----------
    values, weights
        Shape (n,); a row where either is missing stays out.
    labels
        Stratum of each row, 1..n_strata, or 0 to stay out, shape (n,).
    offsets
        Row bounds by date.
    n_strata
        How many strata there are.

    Examples
    --------
    >>> means = weighted_mean(np.array([1.0, 3.0]), np.array([1.0, 3.0]), np.array([1, 1]),
    ...                       np.array([0, 2]), 1)
    >>> means.mean.tolist()
    [[2.5]]
    """
    total, weight, count = _weighted_sums(values, weights, labels, offsets, n_strata)
    mean = np.full(total.shape, np.nan)
    np.divide(total, weight, out=mean, where=weight != 0)
    return ByStratum(mean, weight, count)


@njit(cache=True, nogil=True)
def _standardize(values: Float64, offsets: Int64) -> Float64:
    out = np.full(values.size, np.nan)
    for d in range(offsets.size - 1):
        first, last = offsets[d], offsets[d + 1]
        n, high, low = 0, 0.0, 0.0
        for i in range(first, last):
            if not np.isnan(values[i]):
                n += 1
                high, low = plus(high, low, values[i])
        if n == 0:
            continue
        mean = (high + low) / n
        high, low = 0.0, 0.0
        for i in range(first, last):
            if not np.isnan(values[i]):
                high, low = plus(high, low, (values[i] - mean) ** 2)
        sd = np.sqrt((high + low) / n)
        for i in range(first, last):
            if not np.isnan(values[i]):
                out[i] = (values[i] - mean) / sd if sd > 0.0 else 0.0
    return out


def standardize(values: Float64, offsets: Int64) -> Float64:
    """Return z-scores within each date (population standard deviation, ddof = 0).

    A date whose values are all equal gives zeros; NaN stays NaN.

    Examples
    --------
    >>> standardize(np.array([1.0, 3.0]), np.array([0, 2])).tolist()
    [-1.0, 1.0]
    """
    return _standardize(values, offsets)
