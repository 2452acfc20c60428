"""What past returns and trading say about an asset: kernels over one asset's dates after another.

Every kernel takes the values of rows sorted by (asset, clock), and a `Look`: where each asset's
rows lie and from which clock each wanted row looks back. A clock counts periods of the calendar
(months, trading days), so that a gap in an asset's dates is a gap and never the row before it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# A return over a horizon is known where at least nine tenths of its periods have a return.
PRESENT = 0.9

# A market whose returns all lie this close to their mean, relatively, did not move.
STILL = 1e-12


class Look(NamedTuple):
    """Which rows are looked at, and from where.

    Attributes
    ----------
    clock
        Clocks of the rows that are looked at, sorted by (asset, clock), shape (n,).
    start, stop
        Bounds of each asset in them, shape (n_assets,).
    at
        Clock from which each wanted row looks back, sorted by asset, -1 for none, shape (m,).
    at_offsets
        Bounds of each asset in ``at``, shape (n_assets + 1,).
    """

    clock: Int64
    start: Int64
    stop: Int64
    at: Int64
    at_offsets: Int64


def least_present(length: int) -> int:
    """Return how many of ``length`` periods need a return for their compounded return to count."""
    return int(np.ceil(PRESENT * length - 1e-9))


@njit(cache=True, nogil=True)
def _spread(values: Float64, clock: Int64, start: int, stop: int, last: int, line: Float64) -> int:
    """Lay an asset's values on the calendar, from its first clock to its last or to ``last``.

    The line has to reach the clock that is looked from: were it to end with the asset's last row,
    whether that row comes before or after the date would show in the result.
    """
    length = max(clock[stop - 1], last) - clock[start] + 1
    line[:length] = np.nan
    for i in range(start, stop):
        line[clock[i] - clock[start]] = values[i]
    return int(length)


@njit(cache=True, nogil=True)
def _longest(clock: Int64, at: Int64) -> int:
    if clock.size == 0:
        return 0
    most = clock.max()
    if at.size:
        most = max(most, at.max())
    return int(most - clock.min() + 1)


@njit(cache=True, nogil=True)
def _last(at: Int64, low: int, high: int) -> int:
    most = -1
    for i in range(low, high):
        most = max(most, at[i])
    return int(most)


@njit(cache=True, nogil=True)
def compound_line(line: Float64, length: int, least: int, forward: Float64, out: Float64) -> None:
    """Write the compounded return over the last ``length`` periods up to each position.

    Parameters
    ----------
    line
        Returns by period, missing where there is none, shape (n,).
    length
        Periods per horizon, at least 1.
    least
        How many of them need a return.
    forward
        Scratch, shape (n,).
    out
        Receives the compounded returns, missing where too few returns are there, shape (n,).

    Notes
    -----
    Products of growth factors within blocks of ``length``, from the block's start (in ``out``)
    and to its end (in ``forward``): every horizon is one product of the two (van Herk 1992). No
    division and no logarithm, so a return of -100% is as good as any other, and two
    multiplications per period whatever the horizon.
    """
    n = line.size
    if length == 1:
        out[:] = line
        return
    for begin in range(0, n, length):
        run = 1.0
        for j in range(min(begin + length, n) - 1, begin - 1, -1):
            if not np.isnan(line[j]):
                run *= 1.0 + line[j]
            forward[j] = run
    present = 0
    for begin in range(0, n, length):
        run = 1.0
        for j in range(begin, min(begin + length, n)):
            if not np.isnan(line[j]):
                run *= 1.0 + line[j]
                present += 1
            first = j - length + 1
            if first > 0 and not np.isnan(line[first - 1]):
                present -= 1
            if present < least:
                out[j] = np.nan
            elif first <= 0 or first == begin:
                out[j] = run - 1.0
            else:
                out[j] = forward[first] * run - 1.0


@njit(cache=True, nogil=True, error_model="numpy")
def moments_line(
    x: Float64, y: Float64, window: int, least: int, back: Float64, out: Float64
) -> None:
    """Write moments of two lines over the last ``window`` periods up to each position.

    Parameters
    ----------
    x, y
        Values by period, missing where there are none, shape (n,). A period counts where both
        are there; hand in one array twice for its own moments.
    window, least
        Periods in the window, and how many of them have to count.
    back
        Scratch, shape (n, 5).
    out
        Receives mean of y, sum of squares of y and sum of products of x and y (both around their
        means), and the count; shape (n, 4). Missing where too few periods count.

    Notes
    -----
    Blocks as in `compound_line`: moments from each position to its block's end and from the
    block's start to each position, updated one value at a time (Welford 1962) and merged (Chan,
    Golub and LeVeque 1983). Unlike a difference of sums this keeps its digits where values hardly
    vary, unlike sums that add what enters and take off what leaves it never drifts, and it costs
    the same for every window.
    """
    n = x.size
    for begin in range(0, n, window):
        count, mx, my, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(min(begin + window, n) - 1, begin - 1, -1):
            if not (np.isnan(x[j]) or np.isnan(y[j])):
                count += 1.0
                dx, dy = x[j] - mx, y[j] - my
                mx += dx / count
                my += dy / count
                yy += dy * (y[j] - my)
                xy += dx * (y[j] - my)
            back[j, 0], back[j, 1], back[j, 2] = count, mx, my
            back[j, 3], back[j, 4] = yy, xy
    for begin in range(0, n, window):
        count, mx, my, yy, xy = 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(begin, min(begin + window, n)):
            if not (np.isnan(x[j]) or np.isnan(y[j])):
                count += 1.0
                dx, dy = x[j] - mx, y[j] - my
                mx += dx / count
                my += dy / count
                yy += dy * (y[j] - my)
                xy += dx * (y[j] - my)
            first = j - window + 1
            total, mean, squares, products = count, my, yy, xy
            if 0 < first < begin and back[first, 0] > 0:
                earlier = back[first, 0]
                total = count + earlier
                dx, dy = mx - back[first, 1], my - back[first, 2]
                mean = back[first, 2] + dy * count / total
                squares = yy + back[first, 3] + dy * dy * count * earlier / total
                products = xy + back[first, 4] + dx * dy * count * earlier / total
            if total < least or total == 0:
                out[j, :3] = np.nan
            else:
                out[j, 0], out[j, 1], out[j, 2] = mean, squares, products
            out[j, 3] = total


@njit(cache=True, nogil=True)
def compounded(
    values: Float64,
    look: Look,
    length: int,
    skip: int,
    least: int,
) -> Float64:
    """Return the compounded return over ``length`` periods that end ``skip`` periods earlier.

    Parameters
    ----------
    values
        Returns sorted by (asset, clock), shape (n,).
    look
        Which rows are looked at, and from where.
    length, skip, least
        Periods compounded, periods left out at the end, and returns that have to be there.

    Returns
    -------
    ndarray, shape (m,)
    """
    clock, start, stop, at, at_offsets = look
    out = np.full(at.size, np.nan)
    line = np.empty(_longest(clock, at))
    forward, horizon = np.empty_like(line), np.empty_like(line)
    for a in range(start.size):
        if start[a] == stop[a]:
            continue
        last = _last(at, at_offsets[a], at_offsets[a + 1])
        n = _spread(values, clock, start[a], stop[a], last, line)
        compound_line(line[:n], length, least, forward[:n], horizon[:n])
        for i in range(at_offsets[a], at_offsets[a + 1]):
            j = at[i] - skip - clock[start[a]]
            if at[i] >= 0 and 0 <= j < n:
                out[i] = horizon[j]
    return out


@njit(cache=True, nogil=True)
def moments(
    values: Float64,
    look: Look,
    window: int,
    horizon: int,
    horizon_least: int,
    least: int,
) -> tuple[Float64, Float64]:
    """Return mean and standard deviation of overlapping horizon returns in a trailing window.

    Parameters
    ----------
    values, look
        As for `compounded`; with ``horizon`` 1 the values may be anything.
    window
        Periods in the window that ends at the wanted row's clock.
    horizon
        Periods per return; returns lie wholly inside the window, so there are at most
        ``window - horizon + 1`` of them.
    horizon_least
        How many of a horizon's periods need a return.
    least
        How many horizon returns the window needs.

    Returns
    -------
    mean, std : ndarray, shape (m,)
        The standard deviation divides by the count less one and needs two returns.
    """
    clock, start, stop, at, at_offsets = look
    mean, std = np.full(at.size, np.nan), np.full(at.size, np.nan)
    line = np.empty(_longest(clock, at))
    forward, returns = np.empty_like(line), np.empty_like(line)
    back, found = np.empty((line.size, 5)), np.empty((line.size, 4))
    for a in range(start.size):
        if start[a] == stop[a]:
            continue
        last = _last(at, at_offsets[a], at_offsets[a + 1])
        n = _spread(values, clock, start[a], stop[a], last, line)
        compound_line(line[:n], horizon, horizon_least, forward[:n], returns[:n])
        seen = window - horizon + 1
        moments_line(returns[:n], returns[:n], seen, least, back[:n], found[:n])
        for i in range(at_offsets[a], at_offsets[a + 1]):
            j = at[i] - clock[start[a]]
            if at[i] >= 0 and 0 <= j < n:
                mean[i] = found[j, 0]
                if found[j, 3] > 1:
                    std[i] = np.sqrt(found[j, 1] / (found[j, 3] - 1))
    return mean, std


def market_return(returns: Float64, weights: Float64, clock: Int64, *, n_clock: int) -> Float64:
    """Return the weighted mean return of each period, shape (n_clock,).

    Parameters
    ----------
    returns, weights
        Returns and market values at the end of the period before, shape (n_rows,). Rows where
        either is missing, or the weight is not positive, are left out.
    clock
        Period of each row, 0 to n_clock - 1, shape (n_rows,).
    n_clock
        Number of periods; one without rows is missing.
    """
    use = ~np.isnan(returns) & (weights > 0)
    weight = np.bincount(clock[use], weights=weights[use], minlength=n_clock)
    total = np.bincount(clock[use], weights=weights[use] * returns[use], minlength=n_clock)
    return np.divide(total, weight, out=np.full(n_clock, np.nan), where=weight > 0)


@njit(cache=True, nogil=True)
def beta(
    values: Float64,
    look: Look,
    market: Float64,
    window: int,
    least: int,
) -> Float64:
    """Return the slope of an asset's returns on the market's over a trailing window.

    Parameters
    ----------
    values, look
        As for `compounded`.
    market
        The market's return by clock, shape (n_clock,).
    window, least
        Periods in the window, and how many of them need both returns.

    Returns
    -------
    ndarray, shape (m,)
        Missing where the market did not move.
    """
    clock, start, stop, at, at_offsets = look
    out = np.full(at.size, np.nan)
    line = np.empty(_longest(clock, at))
    back, found = np.empty((line.size, 5)), np.empty((line.size, 4))
    for a in range(start.size):
        if start[a] == stop[a]:
            continue
        first = clock[start[a]]
        n = min(_spread(values, clock, start[a], stop[a], -1, line), market.size - first)
        moments_line(line[:n], market[first : first + n], window, least, back[:n], found[:n])
        for i in range(at_offsets[a], at_offsets[a + 1]):
            j = at[i] - first
            if at[i] < 0 or j < 0 or j >= n:
                continue
            # A market that did not move leaves only the rounding of its mean behind.
            if found[j, 1] > found[j, 3] * (STILL * found[j, 0]) ** 2:
                out[i] = found[j, 2] / found[j, 1]
    return out
