"""The kernel of the backtest: one account of cash and positions, date by date."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from alphastrata.core.sums import plus

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Columns of the ledger that `run_account` fills, one row per date.
WEALTH, GROSS, TRADING, BORROW, NET, TRADED, LONG, SHORT, CASH, EXITS, REFUSED = range(11)


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _trade(
    rows: tuple[int, int],
    assets: Int64,
    linear: Float64,
    impact: Float64,
    targets: tuple[int, int],
    target_assets: Int64,
    target_weights: Float64,
    wealth: float,
    position: Float64,
    wanted: Float64,
) -> tuple[float, float, int]:
    """Move positions to their targets; return the cost, the value traded and targets refused."""
    refused = 0
    for i in range(targets[0], targets[1]):
        wanted[target_assets[i]] = target_weights[i] * wealth
        refused += target_weights[i] != 0.0
    cost, traded = 0.0, 0.0
    less_cost, less_traded = 0.0, 0.0
    for row in range(rows[0], rows[1]):
        a = assets[row]
        refused -= wanted[a] != 0.0
        size = abs(wanted[a] - position[a])
        if size > 0.0:
            paid = linear[row] * size + impact[row] * size * np.sqrt(size)
            cost, less_cost = plus(cost, less_cost, paid)
            traded, less_traded = plus(traded, less_traded, size)
            position[a] = wanted[a]
    for i in range(targets[0], targets[1]):
        wanted[target_assets[i]] = 0.0
    return cost + less_cost, traded + less_traded, refused


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _hold(
    rows: tuple[int, int],
    assets: Int64,
    ret: Float64,
    position: Float64,
    seen: Int64,
    t: int,
) -> tuple[float, float, int]:
    """Let positions earn their returns; return the gain, what exits paid out and their number."""
    gain, paid, exits = 0.0, 0.0, 0
    less_gain, less_paid = 0.0, 0.0
    for row in range(rows[0], rows[1]):
        a = assets[row]
        seen[a] = t
        if position[a] != 0.0 and ret[row] == ret[row]:
            gain, less_gain = plus(gain, less_gain, position[a] * ret[row])
            position[a] *= 1.0 + ret[row]
    for a in range(position.size):
        if position[a] != 0.0 and seen[a] != t:
            paid, less_paid = plus(paid, less_paid, position[a])
            position[a] = 0.0
            exits += 1
    return gain + less_gain, paid + less_paid, exits


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _sides(position: Float64) -> tuple[float, float, float]:
    """Return the value of long positions, of short ones, and of all."""
    long, short, less_long, less_short = 0.0, 0.0, 0.0, 0.0
    for a in range(position.size):
        if position[a] > 0.0:
            long, less_long = plus(long, less_long, position[a])
        elif position[a] < 0.0:
            short, less_short = plus(short, less_short, -position[a])
    held, less = plus(long, less_long - less_short, -short)
    return long + less_long, short + less_short, held + less


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def run_account(
    offsets: Int64,
    assets: Int64,
    ret: Float64,
    linear: Float64,
    impact: Float64,
    trade_of: Int64,
    target_offsets: Int64,
    target_assets: Int64,
    target_weights: Float64,
    risk_free: Float64,
    borrow: float,
    capital: float,
    n_assets: int,
) -> Float64:
    """Return the ledger of an account, float64 of shape (n_dates, 11).

    Parameters
    ----------
    offsets, assets, ret, linear, impact
        Rows of the market by date; trading X at a row costs linear x |X| + impact x |X|^1.5.
    trade_of
        For each date the position of the target that is traded to at its end, -1 for none.
    target_offsets, target_assets, target_weights
        Targets as shares of wealth, signed.
    risk_free
        What cash earns in the period that ends at each date.
    borrow
        Fee per period on the value of short positions at the period's start.
    capital
        Wealth at the end of the first trading date, in currency units.
    n_assets
        How many assets there are.

    Notes
    -----
    Over the period that ends at t, W(t) = W(t-1) + sum of positions x returns + cash x risk-free
    rate - cost of the trades at the end of t-1 - borrow fee. The ledger's gross, trading, borrow
    and net are shares of W(t-1); traded, long, short and cash are those set up at t-1. A missing
    return counts as zero; a position in an asset without a row is paid out at its last value; a
    target in an asset without a row is refused and stays in cash. An account whose wealth is gone
    ends.
    """
    n_dates = offsets.size - 1
    ledger = np.full((n_dates, 11), np.nan)
    position, wanted = np.zeros(n_assets), np.zeros(n_assets)
    seen = np.full(n_assets, -1, dtype=np.int64)
    wealth, cash, cost, traded, refused = capital, capital, 0.0, 0.0, 0
    started = False
    for t in range(n_dates):
        rows = (offsets[t], offsets[t + 1])
        if started:
            long, short, _ = _sides(position)
            gain, paid, exits = _hold(rows, assets, ret, position, seen, t)
            interest, fee = cash * risk_free[t], borrow * short
            ledger[t, LONG], ledger[t, SHORT], ledger[t, CASH] = (
                long / wealth,
                short / wealth,
                cash / wealth,
            )
            cash += paid + interest - fee
            held = _sides(position)[2]
            ledger[t, WEALTH] = cash + held
            ledger[t, GROSS] = (gain + interest) / wealth
            ledger[t, TRADING] = cost / wealth
            ledger[t, BORROW] = fee / wealth
            ledger[t, NET] = (cash + held) / wealth - 1.0
            ledger[t, TRADED] = traded / wealth
            ledger[t, EXITS], ledger[t, REFUSED] = exits, refused
            wealth, cost, traded, refused = cash + held, 0.0, 0.0, 0
            if wealth <= 0.0:
                break
        k = trade_of[t]
        if k >= 0:
            if not started:
                started = True
                ledger[t, WEALTH] = capital
            cost, traded, refused = _trade(
                rows,
                assets,
                linear,
                impact,
                (target_offsets[k], target_offsets[k + 1]),
                target_assets,
                target_weights,
                wealth,
                position,
                wanted,
            )
            held = _sides(position)[2]
            cash = wealth - held - cost
    return ledger
