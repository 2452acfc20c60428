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
def _met(
    assets: Int64, ret: Float64, weight: Float64, per: int, later: Float64, kind: Codes
) -> None:
    """Write what the rows of a date earn on the next one, and of what kind they are.

    Parameters
    ----------
    assets, ret
        Rows of two neighbouring dates; assets ascend within each.
    weight
        Of the rows of the first.
    per
        The distance between kinds: 0 for held with a return, ``per`` for held without one, twice
        ``per`` for not held.
    later, kind
        Written: the return (0 where there is none), and the kind.
    """
    n = weight.size
    ahead, earned = assets[n:], ret[n:]
    i, j = 0, 0
    while i < n:
        most = min(n - i, ahead.size - j)
        mine, theirs, source, into = assets[i:], ahead[j:], earned[j:], later[i:]
        run = most
        for q in range(most):  # Most assets stay: neighbours run in parallel.
            if mine[q] != theirs[q]:
                run = q
                break
            into[q] = source[q]
        i, j = i + run, j + run
        if i < n:
            if j >= ahead.size or assets[i] < ahead[j]:
                later[i] = np.nan
                i += 1
            else:
                j += 1
    for i in range(n):
        none = later[i] != later[i]
        later[i] = 0.0 if none else later[i]
        kind[i] = (per if none else 0) if weight[i] > 0.0 else 2 * per


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _added(
    codes: Codes, kind: Codes, weight: Float64, later: Float64, sums: Float64, counts: Int64
) -> None:
    """Add weight x return and weight to the sums of each stratum and kind, without a branch.

    Columns of ``sums`` are both sums and what their rounding lost (Knuth's two-sum).
    """
    for i in range(codes.size):
        k = codes[i] + kind[i]
        w = weight[i]
        x = w * later[i]
        counts[k] += 1
        h = sums[k, 0]
        v = h + x
        z = v - h
        sums[k, 2] += (h - (v - z)) + (x - z)
        sums[k, 0] = v
        h = sums[k, 1]
        v = h + w
        z = v - h
        sums[k, 3] += (h - (v - z)) + (w - z)
        sums[k, 1] = v


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
        Label of each row but the last date's, formed on its date, 0 for none, shape
        (n_sorts, n_rows).
    n_strata
        How many strata each sort has.

    Returns
    -------
    tuple
        Fields of shape (n_dates - 1, n_sorts, n_strata), from the second date on.

    Notes
    -----
    The rows of two neighbouring dates are merged by asset, once for all sorts, in order.
    """
    n_dates, base, per = offsets.size - 1, offsets[0], n_strata + 1
    shape = (n_dates - 1, codes.shape[0], n_strata)
    gain, total, planned = np.empty(shape), np.empty(shape), np.empty(shape)
    held, missing, unweighted = (
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
        np.empty(shape, dtype=np.int64),
    )
    sums = np.empty((3 * per, 4))
    counts = np.empty(3 * per, dtype=np.int64)
    most = np.diff(offsets).max()
    later, kind = np.empty(most), np.empty(most, dtype=np.uint32)
    for t in range(n_dates - 1):
        a, b, c = offsets[t], offsets[t + 1], offsets[t + 2]
        _met(assets[a:c], ret[a:c], weight[a:b], per, later, kind)
        for j in range(codes.shape[0]):
            sums[:] = 0.0
            counts[:] = 0
            _added(codes[j, a - base : b - base], kind, weight[a:b], later, sums, counts)
            for k in range(n_strata):
                s, m = sums[k + 1], sums[per + k + 1]
                gain[t, j, k] = s[0] + s[2]
                total[t, j, k] = s[1] + s[3]
                v = s[1] + m[1]
                z = v - s[1]
                planned[t, j, k] = v + (((s[1] - (v - z)) + (m[1] - z)) + (s[3] + m[3]))
                missing[t, j, k] = counts[per + k + 1]
                held[t, j, k] = counts[k + 1] + counts[per + k + 1]
                unweighted[t, j, k] = counts[2 * per + k + 1]
    return gain, total, held, missing, unweighted, planned


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
