"""The one place where labels and weights known before a return meet that return.

`earn` takes labels of any formation dates, in force for any time; `earn_next` labels formed on
every date. `compound_later` gives returns over several dates, for evaluation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Codes = npt.NDArray[np.uint32]


class Earned(NamedTuple):
    """What each stratum earned in the period that ends at each date, all of shape (n_dates, K).

    Attributes
    ----------
    gain, weight
        Sum of weight x return and sum of weights, over the assets that have a return.
    held, missing, unweighted
        How many assets had a label and a weight; how many of these lack a return; how many had a
        label and a row, but no positive weight.
    planned
        Sum of weights over all that were held, with a return or without.
    """

    gain: Float64
    weight: Float64
    held: Int64
    missing: Int64
    unweighted: Int64
    planned: Float64


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def earn(
    offsets: Int64,
    assets: Int64,
    ret: Float64,
    weight: Float64,
    in_force: Int64,
    label_offsets: Int64,
    label_assets: Int64,
    labels: Int64,
    share: Float64,
    n_assets: int,
    n_strata: int,
) -> tuple[Float64, Float64, Int64, Int64, Int64, Float64]:
    """Return the fields of `Earned`.

    Parameters
    ----------
    offsets, assets, ret, weight
        Rows of the market sorted by date: bounds by date (n_dates + 1,), and per row the asset's
        code, its return over the period that ends at the row's date, and its weight as known on
        that date.
    in_force
        Position of the formation date whose labels earn each date's return, -1 for none.
    label_offsets, label_assets, labels
        Labels sorted by formation date; an asset code of -1 is not in the market, a label of 0
        not classified.
    share
        Multiplies the weight of each label's asset; empty for 1.

    Notes
    -----
    One pass over the rows: at each date the assets held since the date before meet their return,
    then the same row says what is held until the next date. Sums carry their rounding error
    along (Knuth's two-sum), so that they do not depend on the order of assets.
    """
    n_dates = offsets.size - 1
    gain, total, planned = (
        np.zeros((n_dates, n_strata)),
        np.zeros((n_dates, n_strata)),
        np.zeros((n_dates, n_strata)),
    )
    held = np.zeros((n_dates, n_strata), dtype=np.int64)
    found = np.zeros((n_dates, n_strata), dtype=np.int64)
    unweighted = np.zeros((n_dates, n_strata), dtype=np.int64)
    label_of = np.full(n_assets, -1, dtype=np.int64)
    share_of = np.ones(n_assets if share.size else 0)
    stratum_of = np.full(n_assets, -1, dtype=np.int64)
    weight_of = np.zeros(n_assets)
    high = np.zeros((3, n_strata + 1))
    low = np.zeros((3, n_strata + 1))
    formed, label_base = -1, 0
    for t in range(n_dates):
        following = in_force[t + 1] if t + 1 < n_dates else -1
        if following >= 0 and following != formed:
            formed, label_base = following, following * (n_strata + 1)
            for i in range(label_offsets[formed], label_offsets[formed + 1]):
                if label_assets[i] >= 0:
                    label_of[label_assets[i]] = label_base + labels[i]
                    if share.size:
                        share_of[label_assets[i]] = share[i]
        base = t * (n_strata + 1)
        high[:2, :] = 0.0
        low[:2, :] = 0.0
        if t > 0:
            for k in range(n_strata):
                planned[t, k] = high[2, k + 1] + low[2, k + 1]
        high[2, :] = 0.0
        low[2, :] = 0.0
        for row in range(offsets[t], offsets[t + 1]):
            a = assets[row]
            k = stratum_of[a] - base
            if k > 0 and ret[row] == ret[row]:
                w = weight_of[a]
                x = w * ret[row]
                h = high[0, k]
                s = h + x
                z = s - h
                low[0, k] += (h - (s - z)) + (x - z)
                high[0, k] = s
                h = high[1, k]
                s = h + w
                z = s - h
                low[1, k] += (h - (s - z)) + (w - z)
                high[1, k] = s
                found[t, k - 1] += 1
            if following >= 0:
                k = label_of[a] - label_base
                if k > 0:
                    w = weight[row]
                    if share.size:
                        w *= share_of[a]
                    if w > 0.0:
                        held[t + 1, k - 1] += 1
                        stratum_of[a] = base + n_strata + 1 + k
                        weight_of[a] = w
                        h = high[2, k]
                        s = h + w
                        z = s - h
                        low[2, k] += (h - (s - z)) + (w - z)
                        high[2, k] = s
                    else:
                        unweighted[t + 1, k - 1] += 1
        for k in range(n_strata):
            gain[t, k] = high[0, k + 1] + low[0, k + 1]
            total[t, k] = high[1, k + 1] + low[1, k + 1]
    return gain, total, held, held - found, unweighted, planned


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
    """Return the fields of `Earned` for labels formed on every date.

    Parameters
    ----------
    offsets, assets, ret, weight
        As for `earn`; assets ascend within a date.
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


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def compound_later(
    order: Int64,
    asset_offsets: Int64,
    date_codes: Int64,
    ret: Float64,
    horizon: int,
    n_dates: int,
) -> Float64:
    """Return each row's compounded return over the next ``horizon`` dates, shape (n_rows,).

    Parameters
    ----------
    order, asset_offsets
        Rows by (asset, date), and the bounds of assets in them.
    date_codes, ret
        Date code and return of each row.
    horizon, n_dates
        How many dates ahead, and how many dates there are.
    """
    out = np.full(ret.size, np.nan)
    for a in range(asset_offsets.size - 1):
        for i in range(asset_offsets[a], asset_offsets[a + 1]):
            now = date_codes[order[i]]
            if now + horizon >= n_dates:
                break
            growth, met = 1.0, False
            for j in range(i + 1, asset_offsets[a + 1]):
                row = order[j]
                ahead = date_codes[row] - now
                if ahead > horizon:
                    break
                if ret[row] == ret[row]:
                    met = met or ahead == 1
                    growth *= 1.0 + ret[row]
            if met:
                out[order[i]] = growth - 1.0
    return out
