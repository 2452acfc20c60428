"""Daily closes and returns: what can be believed, and how they become months.

Every rule here looks only at the row itself and at earlier ones, so that a correction of
tomorrow's file never changes today's panel.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.data.counting import note_rows

__all__ = [
    "Cleaned",
    "clean_returns",
    "close_changes",
    "drop_thin_sessions",
    "month_rows",
    "status_notes",
]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

LONGEST_GAP_DAYS = 30
MISPLACED_DAYS = 5
AS_GIVEN, FIRST, LONG_GAP, MISPLACED, SPLIT_DATE, SKIPPED, CONTRADICTS, ABSURD = range(8)
RULES = {
    FIRST: ("A return needs an earlier close", "set missing"),
    LONG_GAP: ("A return spans at most 30 days without trading", "set missing"),
    MISPLACED: (
        "A close 10 or 100 times above or below the one before, on ordinary volume, has its "
        "decimal point misplaced",
        "carried from the day before until it comes back (at most 5 days)",
    ),
    SPLIT_DATE: (
        "A return below -75% has a close that falls by half",
        "replaced by the change of the close (split applied on the wrong day)",
    ),
    SKIPPED: (
        "A return covers all sessions since the last row",
        "replaced by the change of the close over the skipped sessions",
    ),
    CONTRADICTS: ("A return above +100% agrees with the closes to 5%", "set missing"),
    ABSURD: ("A daily return stays below +1000%", "set missing"),
}


@dataclass(frozen=True)
class Cleaned:
    """Arrays of length n, in the order of the rows.

    Attributes
    ----------
    ret, price
        Return since the row before and close, as far as they can be believed.
    status
        Which of ``RULES`` a row broke, 0 for none.
    split
        Cumulated factor by which closes jumped in splits, from 1: shares move inversely.
    """

    ret: Float64
    price: Float64
    status: npt.NDArray[np.int8]
    split: Float64


@numba.njit(cache=True, nogil=True)
def _clean(
    asset: Int64,
    day: Int64,
    skipped: npt.NDArray[np.bool_],
    close: Float64,
    volume: Float64,
    given: Float64,
) -> tuple[Float64, Float64, npt.NDArray[np.int8], Float64]:
    n = close.size
    ret = given.copy()
    price = close.copy()
    status = np.zeros(n, np.int8)
    split = np.ones(n, np.float64)
    good = np.nan  # the last close that is believed
    good_volume = 0.0
    held = 0  # days for which a misplaced close has been carried
    for i in range(n):
        if i == 0 or asset[i] != asset[i - 1]:
            ret[i], status[i], held = np.nan, FIRST, 0
            good, good_volume = close[i], volume[i]
            continue
        split[i] = split[i - 1]
        if day[i] - day[i - 1] > LONGEST_GAP_DAYS:
            ret[i], status[i], held = np.nan, LONG_GAP, 0
            good, good_volume = close[i], volume[i]
            continue
        ratio = close[i] / good
        size = max(ratio, 1.0 / ratio)
        misplaced = 9.0 < size < 11.0 or 90.0 < size < 110.0
        if held > 0:
            if 0.5 < ratio < 2.0:
                ret[i], held = ratio - 1.0, 0
            elif held < MISPLACED_DAYS:
                ret[i], price[i], status[i] = 0.0, good, MISPLACED
                held += 1
                continue
            else:  # it stays there: the new level is the price
                ret[i], held = ratio - 1.0, 0
            good, good_volume = close[i], volume[i]
            continue
        gap = ratio / (1.0 + given[i])
        if misplaced and 0.95 < gap < 1.05 and volume[i] < 10.0 * good_volume:
            ret[i], price[i], status[i] = 0.0, good, MISPLACED
            held = 1
            continue
        if given[i] < -0.75 and ratio > 0.5 and not 0.95 < gap < 1.05:
            ret[i], status[i] = ratio - 1.0, SPLIT_DATE
        elif given[i] > 1.0 and not 0.95 < gap < 1.05:
            ret[i], status[i] = np.nan, CONTRADICTS
        elif skipped[i] and 0.8 <= gap <= 1.25:
            ret[i] = ratio - 1.0
            if abs(gap - 1.0) > 1e-4:
                status[i] = SKIPPED
        elif given[i] > 10.0:
            ret[i], status[i] = np.nan, ABSURD
        elif good_volume > 0.0:
            reverse = 1.8 < gap < 60.0
            forward = False
            for top in range(1, 3):
                for bottom in range(top + 1, 21):
                    forward = forward or abs(gap * bottom / top - 1.0) < 0.005
            if reverse or (forward and gap < 0.8):
                split[i] *= gap
        good, good_volume = close[i], volume[i]
    return ret, price, status, split


def clean_returns(prices: pd.DataFrame) -> Cleaned:
    """Return believable returns and closes of a vendor's daily file that carries returns.

    Parameters
    ----------
    prices
        Sorted by asset and date: ``asset`` (categorical), ``date``, ``price``, ``volume``, ``ret``.

    Returns
    -------
    Cleaned
        See there; the rules are in ``RULES``.

    Notes
    -----
    A session counts as skipped before a row if the asset has no row on the file's previous date,
    or if on that date the closes of more than three in ten assets contradict their returns by over
    0.1%: the whole session before it is missing from the file.
    """
    asset = np.asarray(prices["asset"].cat.codes, np.int64)
    close = prices["price"].to_numpy(np.float64)
    given = prices["ret"].to_numpy(np.float64)
    session, dates = pd.factorize(prices["date"], sort=True)
    day = prices["date"].to_numpy("datetime64[D]").astype(np.int64)
    same = np.empty(len(prices), np.bool_)
    same[:1] = False
    same[1:] = asset[1:] == asset[:-1]
    before = np.roll(close, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.where(same, close / before / (1.0 + given), 1.0)
    odd = np.abs(gap - 1.0) > 1e-3
    share = np.bincount(session, odd, len(dates)) / np.bincount(session, minlength=len(dates))
    skipped = same & ((session - np.roll(session, 1) > 1) | (share > 0.3)[session])
    volume = np.nan_to_num(prices["volume"].to_numpy(np.float64))
    return Cleaned(*_clean(asset, day, skipped, close, volume, given))


def close_changes(prices: pd.DataFrame) -> Float64:
    """Return the change of the close since the asset's row before, missing on its first row.

    Parameters
    ----------
    prices
        Sorted by asset and date: ``asset`` (categorical), ``price``.
    """
    asset = np.asarray(prices["asset"].cat.codes, np.int64)
    close = prices["price"].to_numpy(np.float64)
    change = np.full(close.size, np.nan)
    change[1:] = np.where(asset[1:] == asset[:-1], close[1:] / close[:-1] - 1.0, np.nan)
    return change


def status_notes(prices: pd.DataFrame, status: npt.NDArray[np.int8]) -> list[Note]:
    """Return one note for each rule that rows broke."""
    notes: list[Note] = []
    for code, (rule, action) in RULES.items():
        notes += note_rows(prices, status == code, rule, action)
    return notes


def drop_thin_sessions(prices: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Return prices without the sessions on which the file has only a few assets.

    A session is thin if it has fewer than half the rows of the median of the 20 sessions before.
    """
    size = prices.groupby("date", sort=True).size()
    usual = size.rolling(20, min_periods=1).median().shift()
    thin = size.index[(size < 0.5 * usual).to_numpy()]
    mask = prices["date"].isin(thin).to_numpy()
    notes = note_rows(
        prices,
        mask,
        f"A session has at least half the usual number of assets ({len(thin)} sessions do not)",
        "dropped; the next return covers both sessions",
    )
    return (prices.loc[~mask] if notes else prices), notes


def month_rows(prices: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Return the last row of each asset and month, with the month's compounded return.

    Parameters
    ----------
    prices
        Sorted by asset and date: ``asset`` (categorical), ``date``, ``ret``, ``price``, others.

    Returns
    -------
    tuple
        The rows, dated by calendar month ends, and notes. A month with a missing daily return has
        no return. An asset that does not trade in the ten days before the month's last session
        cannot be bought then: its ``price`` and ``market_cap`` are missing, its return stays.
    """
    date = prices["date"].to_numpy("datetime64[ns]")
    month = date.astype("datetime64[M]").astype(np.int64)
    asset = np.asarray(prices["asset"].cat.codes, np.int64)
    new = np.empty(len(prices), np.bool_)
    new[:1] = True
    new[1:] = (asset[1:] != asset[:-1]) | (month[1:] != month[:-1])
    first = np.flatnonzero(new)
    last = np.append(first[1:], len(prices)) - 1
    ret = prices["ret"].to_numpy(np.float64)
    growth = np.multiply.reduceat(1.0 + ret, first) - 1.0
    rows = prices.iloc[last].copy()
    rows["ret"] = growth
    base = month.min()
    final = np.zeros(int(month.max() - base) + 1, "datetime64[ns]")
    np.maximum.at(final, month - base, date)
    behind = final[month[last] - base] - date[last]
    idle = behind > np.timedelta64(10, "D")
    rows.loc[idle, [name for name in ("price", "market_cap") if name in rows]] = np.nan
    notes = note_rows(
        rows,
        idle,
        "An asset to be bought at a month's end traded in the ten days before",
        "price set missing, return kept",
    )
    ends = month[last].astype("datetime64[M]") + np.timedelta64(1, "M")
    rows["date"] = ends.astype("datetime64[D]").astype("datetime64[ns]") - np.timedelta64(1, "D")
    broken = np.isnan(growth)
    notes += note_rows(
        rows,
        broken,
        "A month's return needs a close before the month and every daily return in it",
        "return set missing",
    )
    return drop_partial_month(rows, date.max(), notes)


def drop_partial_month(
    rows: pd.DataFrame, last_session: np.datetime64, notes: list[Note]
) -> tuple[pd.DataFrame, list[Note]]:
    """Drop the file's last month where it stops more than five days before the month's end."""
    end = rows["date"].max()
    if (end - pd.Timestamp(last_session)).days <= 5:
        return rows, notes
    mask = (rows["date"] == end).to_numpy()
    rule = f"A month is whole; the file ends on {pd.Timestamp(last_session):%Y-%m-%d}"
    return rows.loc[~mask], [*notes, *note_rows(rows, mask, rule, "dropped")]
