"""Turnover of portfolios whose holdings drift with returns between trades."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from alphastrata.core.sums import plus

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _fill_targets(
    rows: tuple[int, int],
    assets: Int64,
    weight: Float64,
    entry_of: Int64,
    first: int,
    labels: Int64,
    share: Float64,
    leg_of: Int64,
    part: Float64,
    target: Float64,
) -> bool:
    """Add a cohort's weights, normalised by stratum, to ``target``; return whether it has any."""
    total, lost = np.zeros(leg_of.size), np.zeros(leg_of.size)
    for turn in range(2):
        total, lost = total + lost, np.zeros(leg_of.size)
        for row in range(rows[0], rows[1]):
            entry = entry_of[assets[row]]
            if entry < first or labels[entry] == 0:
                continue
            k = labels[entry] - 1
            w = weight[row] * (share[entry] if share.size else 1.0)
            if leg_of[k] >= 0 and w > 0.0:
                if turn == 0:
                    total[k], lost[k] = plus(total[k], lost[k], w)
                else:
                    target[leg_of[k], assets[row]] += part[k] * w / total[k]
    return bool((total > 0.0).any())


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def two_sided_turnover(
    offsets: Int64,
    assets: Int64,
    ret: Float64,
    weight: Float64,
    schedules: Int64,
    label_offsets: Int64,
    label_assets: Int64,
    labels: Int64,
    share: Float64,
    leg_of: Int64,
    part: Float64,
    n_assets: int,
) -> Float64:
    """Return the sum of |traded weight| by leg, at the trade before each date's return.

    Parameters
    ----------
    offsets, assets, ret, weight, label_offsets, label_assets, labels, share
        As for `pairing.earn`.
    schedules
        Formation date in force for each cohort and date, shape (n_cohorts, n_dates).
    leg_of, part
        For each stratum, the leg it belongs to (-1 for none), and its part of the leg.
    n_assets
        How many assets there are.

    Returns
    -------
    numpy.ndarray
        float64, shape (n_dates, n_legs): trades at the date before, against holdings that have
        drifted with their returns (a missing return drifts by zero); the first trade counts all
        that is bought.
    """
    n_dates, n_legs = offsets.size - 1, leg_of.max() + 1
    cohorts = schedules.shape[0]
    out = np.zeros((n_dates, n_legs))
    held = np.zeros((n_legs, n_assets))
    entry_of = np.full((cohorts, n_assets), -1, dtype=np.int64)
    formed = np.full(cohorts, -1, dtype=np.int64)
    for t in range(n_dates - 1):
        for leg in range(n_legs):
            gain, lost = 0.0, 0.0
            for row in range(offsets[t], offsets[t + 1]):
                x = ret[row]
                if x == x:
                    gain, lost = plus(gain, lost, held[leg, assets[row]] * x)
                    held[leg, assets[row]] *= 1.0 + x
            if gain + lost > -1.0:
                held[leg] /= 1.0 + (gain + lost)
        target = np.zeros((n_legs, n_assets))
        for c in range(cohorts):
            f = schedules[c, t + 1]
            if f < 0:
                continue
            if f != formed[c]:
                formed[c] = f
                for i in range(label_offsets[f], label_offsets[f + 1]):
                    if label_assets[i] >= 0:
                        entry_of[c, label_assets[i]] = i
            _fill_targets(
                (offsets[t], offsets[t + 1]),
                assets,
                weight,
                entry_of[c],
                label_offsets[f],
                labels,
                share,
                leg_of,
                part / cohorts,
                target,
            )
        for leg in range(n_legs):
            traded, lost = 0.0, 0.0
            for a in range(n_assets):
                traded, lost = plus(traded, lost, abs(target[leg, a] - held[leg, a]))
            out[t + 1, leg] = traded + lost
        held = target
    return out
