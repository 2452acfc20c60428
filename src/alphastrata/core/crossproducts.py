"""Cross-products of columns by date: the normal equations of every cross-section at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from alphastrata.core.grouping import Int64

Float64 = npt.NDArray[np.float64]

# Sums may be reassociated into SIMD lanes: fixed at compile time, independent of threads. How the
# lanes are combined is up to the compiler, so whatever is summed this way is inlined into the one
# function that is compiled. A call would find the helper as it was compiled for itself in the
# process that compiles, and as it was compiled into the caller in one that loads the cache: the
# same sums, in another order.
_SIMD = {"reassoc", "nsz", "contract"}
_TILE = 512
_BLOCK = 3


@dataclass(frozen=True)
class CrossProducts:
    """Moments of columns by date, after a shift that keeps their digits.

    Attributes
    ----------
    count
        Complete rows by date, shape (n_dates,).
    pilot
        What was subtracted from each column on each date, shape (n_dates, p).
    moments
        Shape (n_dates, p + 1, p + 1): cross-products of (1, columns - pilot), symmetric;
        with weights, weighted cross-products.
    """

    count: Int64
    pilot: Float64
    moments: Float64


@njit(inline="always")
def _add_tile(tile: Float64, left: Float64, rows: int, out: Float64) -> None:
    """Add tile @ left.T to the upper triangle of ``out``, three columns by three at a time.

    Nine running sums and six columns stay in registers; the blocks on the diagonal need six sums.
    """
    p = tile.shape[0]
    for i in range(0, p, _BLOCK):
        a0, a1, a2 = left[i], left[i + 1], left[i + 2]
        b0, b1, b2 = tile[i], tile[i + 1], tile[i + 2]
        s00 = s01 = s02 = s11 = s12 = s22 = 0.0
        for r in range(rows):
            s00 += a0[r] * b0[r]
            s01 += a0[r] * b1[r]
            s02 += a0[r] * b2[r]
            s11 += a1[r] * b1[r]
            s12 += a1[r] * b2[r]
            s22 += a2[r] * b2[r]
        out[i, i] += s00
        out[i, i + 1] += s01
        out[i, i + 2] += s02
        out[i + 1, i + 1] += s11
        out[i + 1, i + 2] += s12
        out[i + 2, i + 2] += s22
        for j in range(i + _BLOCK, p, _BLOCK):
            b0, b1, b2 = tile[j], tile[j + 1], tile[j + 2]
            t00 = t01 = t02 = t10 = t11 = t12 = t20 = t21 = t22 = 0.0
            for r in range(rows):
                t00 += a0[r] * b0[r]
                t01 += a0[r] * b1[r]
                t02 += a0[r] * b2[r]
                t10 += a1[r] * b0[r]
                t11 += a1[r] * b1[r]
                t12 += a1[r] * b2[r]
                t20 += a2[r] * b0[r]
                t21 += a2[r] * b1[r]
                t22 += a2[r] * b2[r]
            out[i, j] += t00
            out[i, j + 1] += t01
            out[i, j + 2] += t02
            out[i + 1, j] += t10
            out[i + 1, j + 1] += t11
            out[i + 1, j + 2] += t12
            out[i + 2, j] += t20
            out[i + 2, j + 1] += t21
            out[i + 2, j + 2] += t22


@njit(inline="always")
def _shift(column: Float64, shift: float, out: Float64) -> float:
    """Write column - shift, and return its sum: finite only where nothing is missing."""
    total = 0.0
    for r in range(column.size):
        x = column[r] - shift
        out[r] = x
        total += x
    return total


@njit(nogil=True, error_model="numpy")
def _drop_missing(tile: Float64, weights: Float64, weighted: bool, keep: Float64) -> int:
    """Set rows with a missing value to zero, mark the others in ``keep`` and count them."""
    complete = 0
    for r in range(keep.size):
        keep[r] = 0.0 if weighted and np.isnan(weights[r]) else 1.0
        for c in range(tile.shape[0]):
            keep[r] = 0.0 if np.isnan(tile[c, r]) else keep[r]
        complete += int(keep[r])
        if keep[r] == 0.0:
            for c in range(tile.shape[0]):
                tile[c, r] = 0.0
    return complete


@njit(inline="always")
def _sum(values: Float64) -> float:
    total = 0.0
    for r in range(values.size):
        total += values[r]
    return total


@njit(nogil=True)
def _pilot(columns: Float64, first: int, last: int, out: Float64) -> None:
    """Write each column's mean over the first rows that have it: near enough to shift by."""
    for c in range(columns.shape[0]):
        n, total = 0, 0.0
        for i in range(first, last):
            if not np.isnan(columns[c, i]):
                n += 1
                total += columns[c, i]
                if n == 64:
                    break
        out[c] = total / n if n else 0.0


@njit(cache=True, nogil=True, error_model="numpy", fastmath=_SIMD)
def _normal_equations(
    columns: Float64, offsets: Int64, weights: Float64, weighted: bool
) -> tuple[Int64, Float64, Float64]:
    p, n_dates = columns.shape[0], offsets.size - 1
    padded = ((p + _BLOCK - 1) // _BLOCK) * _BLOCK
    count = np.zeros(n_dates, dtype=np.int64)
    pilot = np.zeros((n_dates, p))
    moments = np.zeros((n_dates, p + 1, p + 1))
    tile = np.zeros((padded, _TILE))
    left = np.zeros((padded, _TILE)) if weighted else tile
    sums = np.zeros((padded, padded))
    totals, found, keep = np.zeros(p), np.zeros(p), np.zeros(_TILE)
    for d in range(n_dates):
        _pilot(columns, offsets[d], offsets[d + 1], pilot[d])
        sums[:] = 0.0
        totals[:] = 0.0
        mass = 0.0
        for start in range(offsets[d], offsets[d + 1], _TILE):
            rows = min(_TILE, offsets[d + 1] - start)
            # Views from zero on: with an offset inside, the loops would not become vectors.
            for c in range(p):
                found[c] = _shift(columns[c, start : start + rows], pilot[d, c], tile[c])
            complete, present = rows, float(rows)
            if weighted or np.isnan(_sum(found)):
                given = weights[start : start + rows] if weighted else weights
                complete = _drop_missing(tile[:p, :rows], given, weighted, keep[:rows])
                present = float(complete)
                if weighted:
                    present = 0.0
                    for r in range(rows):
                        w = given[r] if keep[r] > 0.0 else 0.0
                        present += w
                        for c in range(p):
                            left[c, r] = tile[c, r] * w
                for c in range(p):
                    found[c] = _sum(left[c, :rows])
            count[d] += complete
            mass += present
            for c in range(p):
                totals[c] += found[c]
            _add_tile(tile, left, rows, sums)
        moments[d, 0, 0] = mass
        for i in range(p):
            moments[d, 0, i + 1] = moments[d, i + 1, 0] = totals[i]
            for j in range(i, p):
                moments[d, i + 1, j + 1] = moments[d, j + 1, i + 1] = sums[i, j]
    return count, pilot, moments


def normal_equations(
    columns: Float64, offsets: Int64, *, weights: Float64 | None = None
) -> CrossProducts:
    """Return the cross-products of all columns by date, over rows without a missing value.

    Parameters
    ----------
    columns
        Float64 of shape (p, n), one contiguous row per column (`Panel.matrix`).
    offsets
        Row bounds by date.
    weights
        Positive weights of shape (n,); a row with a missing weight stays out.

    Notes
    -----
    Raw cross-products lose all digits once mean / sd reaches 1e6; subtracting a pilot mean by
    date first keeps the slopes to full accuracy. Slopes do not depend on the pilot; an
    intercept in original units is a = y_pilot + a_shifted - b . x_pilot.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 3.0]])
    >>> normal_equations(x, np.array([0, 3])).moments.tolist()
    [[[3.0, 0.0], [0.0, 2.0]]]
    """
    weighted = weights is not None
    w = weights if weights is not None else np.empty(0)
    count, pilot, moments = _normal_equations(np.ascontiguousarray(columns), offsets, w, weighted)
    return CrossProducts(count, pilot, moments)
