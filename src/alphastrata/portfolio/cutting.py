"""Kernels of sorts: breakpoints and labels over blocks of dates.

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
Codes = npt.NDArray[np.uint32]
Mask = npt.NDArray[np.bool_]

# Values labelled at a time, in a core's first cache. Loops over slices from 0 on vectorise.
_TILE = 1024


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _squeezed(values: Float64, eligible: Mask, out: Float64) -> int:
    """Write the values that may set breakpoints to the front of ``out``; return how many."""
    n = 0
    for i in range(values.size):
        out[n] = values[i]  # Without a branch: exchanges alternate from row to row.
        n += (values[i] == values[i]) & eligible[i]
    return n


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def compressed(values: Float64, offsets: Int64, eligible: Mask) -> tuple[Float64, Int64]:
    """Return the values that may set breakpoints, by date, and their bounds."""
    out = np.empty(offsets[-1] - offsets[0] + 1)
    bounds = np.zeros(offsets.size, dtype=np.int64)
    anyone = np.ones(0 if eligible.size else np.diff(offsets).max(), dtype=np.bool_)
    n = 0
    for d in range(offsets.size - 1):
        first, last = offsets[d], offsets[d + 1]
        setting = eligible[first:last] if eligible.size else anyone[: last - first]
        n += _squeezed(values[first:last], setting, out[n:])
        bounds[d + 1] = n
    return out[:n], bounds


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _squeezed_with(values: Float64, eligible: Mask, codes: Codes, out: Float64, own: Codes) -> int:
    """Write the values that may set breakpoints, and their codes, to the front; return how many."""
    n = 0
    for i in range(values.size):
        out[n], own[n] = values[i], codes[i]
        n += (values[i] == values[i]) & eligible[i] & (codes[i] > 0)
    return n


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _dealt(values: Float64, own: Codes, free: Int64, out: Float64) -> None:
    """Write values to ``out`` group by group; ``free`` comes back with the end of each group."""
    free[:] = 0
    for i in range(values.size):
        free[own[i]] += 1
    n = 0
    for g in range(1, free.size):
        n, free[g] = n + free[g], n
    for i in range(values.size):
        g = own[i]
        out[free[g]] = values[i]
        free[g] += 1


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def grouped(
    values: Float64, offsets: Int64, eligible: Mask, codes: Codes, n_groups: int
) -> tuple[Float64, Int64]:
    """Return the values that may set breakpoints, by date and group, and their bounds."""
    base, most = offsets[0], np.diff(offsets).max()
    out = np.empty(offsets[-1] - base)
    bounds = np.zeros((offsets.size - 1) * n_groups + 1, dtype=np.int64)
    anyone = np.ones(0 if eligible.size else most, dtype=np.bool_)
    inside, own = np.empty(most + 1), np.empty(most + 1, dtype=np.uint32)
    free = np.empty(n_groups + 1, dtype=np.int64)
    n = 0
    for d in range(offsets.size - 1):
        first, last = offsets[d], offsets[d + 1]
        setting = eligible[first:last] if eligible.size else anyone[: last - first]
        groups = codes[first - base : last - base]
        size = _squeezed_with(values[first:last], setting, groups, inside, own)
        _dealt(inside[:size], own[:size], free, out[n:])
        for g in range(1, n_groups + 1):
            bounds[d * n_groups + g] = n + free[g]
        n += size
    return out[:n], bounds


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _counted(values: Float64, cuts: Float64, out: Codes) -> None:
    """Write 1 + the number of cuts <= each value, 0 for a missing value."""
    tile = np.empty(_TILE, dtype=np.int64)
    for first in range(0, values.size, _TILE):
        x = values[first : first + _TILE]
        labels, into = tile[: x.size], out[first : first + _TILE]
        labels[:] = 1
        for q in range(cuts.size):
            cut = cuts[q]
            for i in range(x.size):
                labels[i] += x[i] >= cut
        for i in range(x.size):
            into[i] = labels[i] if x[i] == x[i] else 0


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _counted_inside(values: Float64, breaks: Float64, codes: Codes, out: Codes) -> None:
    """Write joint codes of values counted against the breakpoints of their own group."""
    n = breaks.shape[1] + 1
    for i in range(values.size):
        x, g = values[i], np.int64(codes[i]) - 1
        label = 0
        if g >= 0 and x == x and breaks[g, 0] == breaks[g, 0]:
            label = g * n + 1
            for q in range(n - 1):
                label += x >= breaks[g, q]
        out[i] = label


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
    base, n = offsets[0], np.uint32(breaks.shape[2] + 1)
    out = np.empty(offsets[-1] - base, dtype=np.uint32)
    for d in range(offsets.size - 1):
        first, last = offsets[d], offsets[d + 1]
        x, into = values[first:last], out[first - base : last - base]
        if n_groups > 1:
            _counted_inside(x, breaks[d], codes[first - base : last - base], into)
        elif np.isnan(breaks[d, 0, 0]):
            into[:] = 0
        else:
            _counted(x, breaks[d, 0], into)
            if codes.size:
                earlier = codes[first - base : last - base]
                for i in range(into.size):
                    both = (into[i] > 0) & (earlier[i] > 0)
                    into[i] = (earlier[i] - np.uint32(1)) * n + into[i] if both else 0
    return out


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def packed(codes: Codes) -> int:
    """Move the codes that are not 0 to the front, in place; return how many there are."""
    n = 0
    for i in range(codes.size):
        code = codes[i]
        codes[n] = code
        n += code > 0
    return n


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def tallied(codes: Codes, offsets: Int64, n_codes: int) -> Int64:
    """Return how many rows of each date have each code 0..n_codes-1, shape (n_dates, n_codes)."""
    out = np.zeros((offsets.size - 1, n_codes), dtype=np.int64)
    for d in range(offsets.size - 1):
        for i in range(offsets[d], offsets[d + 1]):
            out[d, codes[i]] += 1
    return out


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
    least: int,
) -> tuple[Float64, Int64]:
    """Return breakpoints of each date and group, shape (n_dates, n_groups, q), and who set them.

    Parameters
    ----------
    values, offsets
        The characteristic, and the bounds of dates.
    probs
        Probabilities, ascending.
    eligible
        Which values may set breakpoints; empty for all.
    codes, n_groups
        Groups 1..n_groups of the rows from the first date on, 0 for none; or empty, and 1.
    least
        A group in which fewer values may set breakpoints has none.

    Returns
    -------
    tuple
        Breakpoints, missing where there are none, and the number of values that may set them,
        shape (n_dates * n_groups,).
    """
    top = np.array([p.numerator for p in probs], dtype=np.int64)
    bottom = np.array([p.denominator for p in probs], dtype=np.int64)
    if n_groups == 1:
        inside, bounds = compressed(values, offsets, eligible)
    else:
        inside, bounds = grouped(values, offsets, eligible, codes, n_groups)
    for first, last in pairwise(bounds.tolist()):
        inside[first:last].sort()
    found = picked(inside, bounds, top, bottom, least)
    return found.reshape(offsets.size - 1, n_groups, len(probs)), np.diff(bounds)
