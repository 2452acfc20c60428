"""Cross-products of columns by date: the normal equations of every cross-section at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numba import njit

from alphastrata.core.grouping import Int64

Float64 = npt.NDArray[np.float64]

# Sums may be reassociated into SIMD lanes: fixed at compile time, independent of threads.
_SIMD = {"reassoc", "nsz", "contract"}
_TILE = 256
_BLOCK = 4


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


@njit(cache=True, nogil=True, fastmath=_SIMD)
def _add_tile(tile: Float64, left: Float64, rows: int, out: Float64) -> None:
    """Add tile @ left.T to ``out``, upper triangle of 4 x 4 blocks only."""
    for i in range(0, tile.shape[0], _BLOCK):
        for j in range(i, tile.shape[0], _BLOCK):
            a0, a1, a2, a3 = left[i], left[i + 1], left[i + 2], left[i + 3]
            b0, b1, b2, b3 = tile[j], tile[j + 1], tile[j + 2], tile[j + 3]
            s00 = s01 = s02 = s03 = 0.0
            s10 = s11 = s12 = s13 = 0.0
            s20 = s21 = s22 = s23 = 0.0
            s30 = s31 = s32 = s33 = 0.0
            for r in range(rows):
                s00 += a0[r] * b0[r]
                s01 += a0[r] * b1[r]
                s02 += a0[r] * b2[r]
                s03 += a0[r] * b3[r]
                s10 += a1[r] * b0[r]
                s11 += a1[r] * b1[r]
                s12 += a1[r] * b2[r]
                s13 += a1[r] * b3[r]
                s20 += a2[r] * b0[r]
                s21 += a2[r] * b1[r]
                s22 += a2[r] * b2[r]
                s23 += a2[r] * b3[r]
                s30 += a3[r] * b0[r]
                s31 += a3[r] * b1[r]
                s32 += a3[r] * b2[r]
                s33 += a3[r] * b3[r]
            out[i, j] += s00
            out[i, j + 1] += s01
            out[i, j + 2] += s02
            out[i, j + 3] += s03
            out[i + 1, j] += s10
            out[i + 1, j + 1] += s11
            out[i + 1, j + 2] += s12
            out[i + 1, j + 3] += s13
            out[i + 2, j] += s20
            out[i + 2, j + 1] += s21
            out[i + 2, j + 2] += s22
            out[i + 2, j + 3] += s23
            out[i + 3, j] += s30
            out[i + 3, j + 1] += s31
            out[i + 3, j + 2] += s32
            out[i + 3, j + 3] += s33


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True, error_model="numpy")
def _normal_equations(
    columns: Float64, offsets: Int64, weights: Float64, weighted: bool
) -> tuple[Int64, Float64, Float64]:
    p, n_dates = columns.shape[0], offsets.size - 1
    padded = ((p + _BLOCK) // _BLOCK) * _BLOCK  # room for the intercept, in whole blocks
    count = np.zeros(n_dates, dtype=np.int64)
    pilot = np.zeros((n_dates, p))
    moments = np.zeros((n_dates, p + 1, p + 1))
    tile = np.zeros((padded, _TILE))
    left = np.zeros((padded, _TILE)) if weighted else tile
    sums = np.zeros((padded, padded))
    keep = np.empty(_TILE)
    for d in range(n_dates):
        _pilot(columns, offsets[d], offsets[d + 1], pilot[d])
        sums[:] = 0.0
        for start in range(offsets[d], offsets[d + 1], _TILE):
            rows = min(_TILE, offsets[d + 1] - start)
            for r in range(rows):
                keep[r] = 1.0
            for c in range(p):
                shift = pilot[d, c]
                for r in range(rows):
                    x = columns[c, start + r] - shift
                    missing = x != x
                    keep[r] = 0.0 if missing else keep[r]
                    tile[c + 1, r] = 0.0 if missing else x
            if weighted:
                for r in range(rows):
                    if np.isnan(weights[start + r]):
                        keep[r] = 0.0
            complete = 0.0
            for r in range(rows):
                complete += keep[r]
            count[d] += int(complete)
            for r in range(rows):
                tile[0, r] = keep[r]
            if complete < rows:
                for c in range(1, p + 1):
                    for r in range(rows):
                        tile[c, r] *= keep[r]
            if weighted:
                for c in range(p + 1):
                    for r in range(rows):
                        left[c, r] = tile[c, r] * weights[start + r] if keep[r] > 0.0 else 0.0
            _add_tile(tile, left, rows, sums)
        for i in range(p + 1):
            for j in range(i, p + 1):
                moments[d, i, j] = sums[i, j]
                moments[d, j, i] = sums[i, j]
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
