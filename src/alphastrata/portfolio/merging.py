"""Kernels of the one-pass sorts: breakpoints, labels and returns over blocks of dates.

Offsets are absolute, so that a block needs no copy of the panel; what a block makes (codes) begins
at its own first row.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def compressed(values: Float64, offsets: Int64, eligible: Mask) -> tuple[Float64, Int64]:
    """Return the values that may set breakpoints, by date, and their bounds."""
    out = np.empty(offsets[-1] - offsets[0])
    bounds = np.zeros(offsets.size, dtype=np.int64)
    n = 0
    for d in range(offsets.size - 1):
        for i in range(offsets[d], offsets[d + 1]):
            keep = values[i] == values[i]
            if eligible.size:
                keep &= eligible[i]
            out[n] = values[i]  # Without a branch: exchanges alternate from row to row.
            n += keep
        bounds[d + 1] = n
    return out[:n], bounds


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def grouped(
    values: Float64, offsets: Int64, eligible: Mask, codes: Codes, n_groups: int
) -> tuple[Float64, Int64]:
    """Return the values that may set breakpoints, by date and group, and their bounds."""
    base = offsets[0]
    out = np.empty(offsets[-1] - base)
    bounds = np.zeros((offsets.size - 1) * n_groups + 1, dtype=np.int64)
    free = np.zeros(n_groups + 1, dtype=np.int64)
    n = 0
    for d in range(offsets.size - 1):
        free[:] = 0
        for i in range(offsets[d], offsets[d + 1]):
            keep = values[i] == values[i]
            if eligible.size:
                keep &= eligible[i]
            free[codes[i - base]] += keep
        for g in range(1, n_groups + 1):
            count, free[g] = free[g], n
            n += count
            bounds[d * n_groups + g] = n
        for i in range(offsets[d], offsets[d + 1]):
            g = codes[i - base]
            keep = values[i] == values[i]
            if eligible.size:
                keep &= eligible[i]
            if keep and g > 0:
                out[free[g]] = values[i]
                free[g] += 1
    return out[:n], bounds


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def assigned(
    values: Float64, offsets: Int64, breaks: Float64, codes: Codes, n_groups: int
) -> Codes:
    """Return joint codes: the earlier ones (none: empty) refined by one more characteristic.

    Parameters
    ----------
    values, offsets
        The characteristic, and the bounds of the block's dates.
    breaks
        Breakpoints, shape (n_dates, n_groups, q); groups are the earlier codes, or all in one.
    codes
        Earlier codes of the block's rows, 0 for none.
    n_groups
        1, or how many earlier codes there are.
    """
    n_breaks = breaks.shape[2]
    base = offsets[0]
    out = np.zeros(offsets[-1] - base, dtype=np.int32)
    cuts = np.empty(n_breaks)
    for d in range(offsets.size - 1):
        if n_groups == 1:
            cuts[:] = breaks[d, 0]
            if np.isnan(cuts[0]):
                continue
            for i in range(offsets[d], offsets[d + 1]):
                x = values[i]
                label = 1
                for q in range(n_breaks):
                    label += x >= cuts[q]
                out[i - base] = label if x == x else 0
            if codes.size:
                for i in range(offsets[d] - base, offsets[d + 1] - base):
                    both = (out[i] > 0) & (codes[i] > 0)
                    out[i] = (codes[i] - 1) * (n_breaks + 1) + out[i] if both else 0
        else:
            for i in range(offsets[d], offsets[d + 1]):
                x, g = values[i], codes[i - base] - 1
                if g >= 0 and x == x and breaks[d, g, 0] == breaks[d, g, 0]:
                    label = g * (n_breaks + 1) + 1
                    for q in range(n_breaks):
                        label += x >= breaks[d, g, q]
                    out[i - base] = label
    return out


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def earn_next(
    offsets: Int64, assets: Int64, ret: Float64, weight: Float64, codes: Codes, n_strata: int
) -> tuple[Float64, Float64, Int64, Int64, Int64, Float64]:
    """Return the fields of `pairing.Earned` for labels formed on every date.

    Parameters
    ----------
    offsets, assets, ret, weight
        As for `pairing.earn`; assets ascend within a date.
    codes
        Label of each row but the last date's, formed on its date, 0 for none.
    n_strata
        How many strata there are.

    Notes
    -----
    The rows of two neighbouring dates are merged by asset: no lookup, one pass in order.
    """
    n_dates, base = offsets.size - 1, offsets[0]
    gain, total, planned = (
        np.zeros((n_dates, n_strata)),
        np.zeros((n_dates, n_strata)),
        np.zeros((n_dates, n_strata)),
    )
    held = np.zeros((n_dates, n_strata), dtype=np.int64)
    missing = np.zeros((n_dates, n_strata), dtype=np.int64)
    unweighted = np.zeros((n_dates, n_strata), dtype=np.int64)
    sums = np.zeros((n_strata + 1, 6))
    counts = np.zeros((n_strata + 1, 3), dtype=np.int64)
    for t in range(1, n_dates):
        sums[:] = 0.0
        counts[:] = 0
        j, last = offsets[t], offsets[t + 1]
        for i in range(offsets[t - 1], offsets[t]):
            k = codes[i - base]
            if k == 0:
                continue
            w = weight[i]
            if not w > 0.0:
                counts[k, 2] += 1
                continue
            counts[k, 0] += 1
            a = assets[i]
            while j < last and assets[j] < a:
                j += 1
            s = sums[k]
            r = ret[j] if j < last and assets[j] == a else np.nan
            if r == r:
                x = w * r
                h = s[0]
                v = h + x
                z = v - h
                s[1] += (h - (v - z)) + (x - z)
                s[0] = v
                h = s[2]
                v = h + w
                z = v - h
                s[3] += (h - (v - z)) + (w - z)
                s[2] = v
            else:
                counts[k, 1] += 1
                h = s[4]
                v = h + w
                z = v - h
                s[5] += (h - (v - z)) + (w - z)
                s[4] = v
        for k in range(n_strata):
            s = sums[k + 1]
            gain[t, k] = s[0] + s[1]
            total[t, k] = s[2] + s[3]
            v = s[2] + s[4]
            z = v - s[2]
            planned[t, k] = v + (((s[2] - (v - z)) + (s[4] - z)) + (s[3] + s[5]))
            held[t, k], missing[t, k], unweighted[t, k] = (
                counts[k + 1, 0],
                counts[k + 1, 1],
                counts[k + 1, 2],
            )
    return gain, total, held, missing, unweighted, planned


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def picked(ordered: Float64, bounds: Int64, top: Int64, bottom: Int64, least: int) -> Float64:
    """Return linear quantiles at top/bottom of ascending values by date, as `bydate` does."""
    out = np.full((bounds.size - 1, top.size), np.nan)
    for d in range(bounds.size - 1):
        n = bounds[d + 1] - bounds[d]
        if n < least:
            continue
        for q in range(top.size):
            whole = top[q] * (n - 1)
            i = whole // bottom[q]
            t = (whole - i * bottom[q]) / bottom[q]
            low = ordered[bounds[d] + i]
            if t == 0.0:
                out[d, q] = low
                continue
            high = ordered[bounds[d] + i + 1]
            out[d, q] = low + (high - low) * t if t < 0.5 else high - (high - low) * (1.0 - t)
    return out


def breaks_by_group(
    values: Float64,
    offsets: Int64,
    probs: list[Fraction],
    eligible: Mask,
    codes: Codes,
    n_groups: int,
) -> Float64:
    """Return breakpoints of each date and group, shape (n_dates, n_groups, q)."""
    top = np.array([p.numerator for p in probs], dtype=np.int64)
    bottom = np.array([p.denominator for p in probs], dtype=np.int64)
    if n_groups == 1:
        inside, bounds = compressed(values, offsets, eligible)
    else:
        inside, bounds = grouped(values, offsets, eligible, codes, n_groups)
    for first, last in pairwise(bounds.tolist()):
        inside[first:last].sort()
    found = picked(inside, bounds, top, bottom, len(probs) + 1)
    return found.reshape(offsets.size - 1, n_groups, len(probs))
