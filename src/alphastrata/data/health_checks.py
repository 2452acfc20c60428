"""The single checks of a panel's health: each marks the rows that break one rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numba
import numpy as np
import numpy.typing as npt

from alphastrata.core.panel import Panel

__all__ = ["ERROR", "INFO", "QUICK", "WARNING", "Finding", "findings"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Severity = Literal["error", "warning", "info"]
ERROR: Severity = "error"
WARNING: Severity = "warning"
INFO: Severity = "info"

PERCENT_RETURN = {"D": 0.15, "W": 0.25, "M": 0.4, "Q": 0.8, "Y": 1.5}
"""Median absolute returns that no market in decimals has had."""
STALE_ROWS = {"D": 5, "W": 4, "M": 3, "Q": 2, "Y": 2}
REUSE_DAYS = 180
EMPTY_MONTHS = 100


@dataclass(frozen=True)
class Finding:
    """One rule and the rows that break it.

    Attributes
    ----------
    check
        Short name.
    severity
        "error" (the panel cannot be used so), "warning" (look before use), "info".
    rule
        What should hold.
    rows
        int64, positions of rows.
    of
        How many rows the rule was asked of.
    remedy
        What to do.
    """

    check: str
    severity: Severity
    rule: str
    rows: Int64
    of: int
    remedy: str


@dataclass(frozen=True)
class _Series:
    """Rows by asset and date, with the position of the asset's row before (-1: none)."""

    panel: Panel
    order: Int64
    before: Int64
    gap: Int64
    gap_days: Int64

    def previous(self, values: Float64) -> Float64:
        """Value of the asset's row before, missing for its first."""
        return np.where(self.before >= 0, values[np.maximum(self.before, 0)], np.nan)


def findings(panel: Panel, checks: Sequence[Check] | None = None) -> Iterator[Finding]:
    """Yield what every applicable check finds, also where it finds nothing.

    `QUICK` are the checks that need no pass over each asset's history.
    """
    series = _by_asset(panel)
    for check in CHECKS if checks is None else checks:
        found = check(series)
        if found is not None:
            yield found


def _by_asset(panel: Panel) -> _Series:
    order = panel.asset_order()
    asset = panel.asset_codes[order]
    before = np.full(len(panel), -1, np.int64)
    same = asset[1:] == asset[:-1]
    before[order[1:][same]] = order[:-1][same]
    day = panel.dates.to_numpy("datetime64[D]").astype(np.int64)[panel.date_codes]
    known = np.maximum(before, 0)
    gap = np.where(before >= 0, panel.date_codes - panel.date_codes[known], 0)
    gap_days = np.where(before >= 0, day - day[known], 0)
    return _Series(panel, order, before, gap, gap_days)


def _has(panel: Panel, *names: str) -> bool:
    return all(name in panel.columns and not panel.is_categorical(name) for name in names)


def _rows(mask: Bool) -> Int64:
    return np.flatnonzero(mask).astype(np.int64)


def _present(values: Float64) -> int:
    return int(np.isfinite(values).sum())


def percent_returns(s: _Series) -> Finding | None:
    """Median absolute return so large that the returns must be in percent."""
    if not _has(s.panel, "ret"):
        return None
    ret = s.panel.values("ret")
    size = np.abs(ret[np.isfinite(ret)])
    limit = PERCENT_RETURN.get(s.panel.freq, 0.4)
    wrong = bool(size.size) and float(np.median(size)) > limit
    rows = _rows(np.isfinite(ret)) if wrong else _rows(np.zeros(ret.size, np.bool_))
    return Finding(
        "percent returns", ERROR, f"The median absolute return is below {limit:g}: returns are "
        "decimals", rows, _present(ret), "Divide the returns by 100.",
    )  # fmt: skip


def impossible_returns(s: _Series) -> Finding | None:
    """Return below -100%."""
    if not _has(s.panel, "ret"):
        return None
    ret = s.panel.values("ret")
    return Finding(
        "impossible returns", ERROR, "No return is below -100%", _rows(ret < -1.0), _present(ret),
        "Missing codes such as -99 must become missing before they are scaled.",
    )  # fmt: skip


def jumps(s: _Series) -> Finding | None:
    """Return above +100%."""
    if not _has(s.panel, "ret"):
        return None
    ret = s.panel.values("ret")
    return Finding(
        "jumps", WARNING, "Few returns exceed +100%", _rows(ret > 1.0), _present(ret),
        "Look at them: splits, misplaced decimal points, reused tickers.",
    )  # fmt: skip


def missing_returns(s: _Series) -> Finding | None:
    """Row without a return that is not the asset's first."""
    if not _has(s.panel, "ret"):
        return None
    later = s.before >= 0
    return Finding(
        "missing returns", INFO, "After its first row an asset has a return",
        _rows(np.isnan(s.panel.values("ret")) & later), int(later.sum()),
        "Portfolios leave these rows out.",
    )  # fmt: skip


def prices_not_positive(s: _Series) -> Finding | None:
    """Zero or negative price."""
    if not _has(s.panel, "price"):
        return None
    price = s.panel.values("price")
    return Finding(
        "zero or negative prices", ERROR, "Prices are positive", _rows(price <= 0),
        _present(price), "CRSP marks bid-ask averages by a minus sign: take absolute values.",
    )  # fmt: skip


def split_steps(s: _Series) -> Finding | None:
    """Price steps by a simple ratio that the return does not share."""
    if not _has(s.panel, "price", "ret"):
        return None
    price, ret = s.panel.values("price"), s.panel.values("ret")
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = price / s.previous(price) / (1.0 + ret)
    gap = np.where(np.isfinite(gap) & (gap > 0), gap, np.nan)
    large = np.maximum(gap, 1.0 / gap)
    step = (large > 1.24) & ((np.abs(large - np.rint(large)) < 0.02 * large)
                             | (np.abs(2 * large - np.rint(2 * large)) < 0.02 * large))  # fmt: skip
    asked = np.isfinite(gap) & (s.gap == 1)
    return Finding(
        "split steps", INFO, "Prices step by a split that returns leave out",
        _rows(step & asked), int(asked.sum()),
        "Fine for unadjusted prices; market cap needs shares that step too.",
    )  # fmt: skip


def unadjusted_splits(s: _Series) -> Finding | None:
    """Return equal to the price step of a split while market cap does not move."""
    if not _has(s.panel, "price", "ret", "shares"):
        return None
    price, ret, shares = (s.panel.values(name) for name in ("price", "ret", "shares"))
    with np.errstate(divide="ignore", invalid="ignore"):
        step = price / s.previous(price)
        grown = shares / s.previous(shares)
    apart = np.abs(step * grown - 1.0) < 0.15
    taken = np.abs(1.0 + ret - step) < 0.02
    asked = np.isfinite(step * grown * ret) & (s.gap == 1)
    large = (grown > 1.8) | (grown < 1 / 1.8)
    return Finding(
        "unadjusted splits", WARNING, "A return leaves out the split of its shares",
        _rows(asked & apart & taken & large), int(asked.sum()),
        "Take returns that are adjusted for splits.",
    )  # fmt: skip


@numba.njit(cache=True, nogil=True)
def _stale_runs(order: Int64, before: Int64, price: Float64, volume: Float64, least: int) -> Bool:
    """Rows in runs of at least ``least`` unchanged closes; trading volume ends a run."""
    out = np.zeros(price.size, np.bool_)
    start = 0
    for j in range(1, order.size + 1):
        same = False
        if j < order.size:
            row = order[j]
            back = before[row]
            same = back >= 0 and price[row] == price[back] and not volume[row] > 0.0
        if not same:
            if j - start > least:
                for m in range(start, j):
                    out[order[m]] = True
            start = j
    return out


def stale_prices(s: _Series) -> Finding | None:
    """Price that stands still without trading."""
    if not _has(s.panel, "price"):
        return None
    price = s.panel.values("price")
    least = STALE_ROWS.get(s.panel.freq, 3)
    if "volume" in s.panel.columns:
        volume = s.panel.values("volume")
    else:
        volume = np.zeros(price.size)
    return Finding(
        "stale prices", WARNING, f"No price stands still for {least} periods without volume",
        _rows(_stale_runs(s.order, s.before, price, volume, least)), _present(price),
        "Leave these rows out of portfolios: nobody traded at that price.",
    )  # fmt: skip


def gaps(s: _Series) -> Finding | None:
    """Asset without rows on dates between two of its rows."""
    later = s.before >= 0
    return Finding(
        "gaps", INFO, "An asset has a row on every date between its first and its last",
        _rows((s.gap > 1) & (s.gap_days <= REUSE_DAYS)), int(later.sum()),
        "Lagged values are missing after a gap.",
    )  # fmt: skip


def reused_assets(s: _Series) -> Finding | None:
    """Asset that comes back after half a year: perhaps another company under an old ticker."""
    later = s.before >= 0
    usual = {"Q": 200, "Y": 800}.get(s.panel.freq, REUSE_DAYS)
    return Finding(
        "reused tickers", WARNING, f"No asset comes back after more than {usual} days",
        _rows(s.gap_days > usual), int(later.sum()),
        "Check whether the old name now belongs to another company.",
    )  # fmt: skip


def thin_dates(s: _Series) -> Finding | None:
    """Date with fewer than half the rows of the 20 dates before it."""
    size = np.diff(s.panel.offsets).astype(np.float64)
    thin = np.zeros(size.size, np.bool_)
    for d in range(1, size.size):
        thin[d] = size[d] < 0.5 * np.median(size[max(0, d - 20) : d])
    first = s.panel.offsets[:-1]
    rows = np.minimum(first, len(s.panel) - 1)[thin]
    return Finding(
        "missing sessions", WARNING, "A date has at least half the usual number of assets",
        np.asarray(rows, np.int64), size.size,
        "Find the missing rows or drop the date; the next return covers both sessions.",
    )  # fmt: skip


def survivors(s: _Series) -> Finding | None:
    """No asset ends before the panel does, over three years or more."""
    years = (s.panel.dates[-1] - s.panel.dates[0]).days / 365.25
    last = s.panel.date_codes[s.order[s.panel.asset_offsets()[1:] - 1]]
    ends = s.panel.dates[last] < s.panel.dates[-1] - np.timedelta64(45, "D")
    biased = years >= 3 and not ends.any() and len(s.panel.assets) > 20
    rows = np.zeros(1 if biased else 0, np.int64)
    return Finding(
        "survivorship", WARNING, "Over three years some assets stop trading", rows,
        len(s.panel.assets), "These are survivors; returns are biased upwards.",
    )  # fmt: skip


def market_caps(s: _Series) -> Finding | None:
    """Market cap that is not price times shares."""
    if not _has(s.panel, "price", "shares", "market_cap"):
        return None
    product = s.panel.values("price") * s.panel.values("shares")
    cap = s.panel.values("market_cap")
    off = np.abs(cap - product) > 0.01 * np.abs(product)
    return Finding(
        "market caps", WARNING, "Market cap is price times shares to 1%", _rows(off),
        _present(product + cap), "Check units: thousands of shares, millions of currency.",
    )  # fmt: skip


def balance(s: _Series) -> Finding | None:
    """Total assets that are not liabilities plus equity."""
    if not _has(s.panel, "total_assets", "total_liabilities", "book_equity"):
        return None
    a, b, c = (s.panel.values(n) for n in ("total_assets", "total_liabilities", "book_equity"))
    off = np.abs(a - b - c) > 0.02 * np.abs(a)
    return Finding(
        "balance sheets", INFO, "Total assets are liabilities plus equity to 2%", _rows(off),
        _present(a + b + c), "Often minority interests; check large differences.",
    )  # fmt: skip


def parts(s: _Series) -> Finding | None:
    """Find current assets above total assets."""
    if not _has(s.panel, "total_assets", "current_assets"):
        return None
    a, c = s.panel.values("total_assets"), s.panel.values("current_assets")
    return Finding(
        "units of accounts", WARNING, "Current assets are part of total assets",
        _rows(c > 1.001 * a), _present(a + c), "Check the units of these statements.",
    )  # fmt: skip


def known_in_time(s: _Series) -> Finding | None:
    """Statement shown before it was known, or known before its period ended."""
    if not _has(s.panel, "known_age", "period_end_age"):
        return None
    known, ended = s.panel.values("known_age"), s.panel.values("period_end_age")
    return Finding(
        "look-ahead", ERROR, "A statement is shown after it was known, known after it ended",
        _rows((known < 0) | (ended < known)), _present(known),
        "Join statements with as_of.",
    )  # fmt: skip


def old_statements(s: _Series) -> Finding | None:
    """Statement whose period ended more than 18 months ago."""
    if not _has(s.panel, "period_end_age"):
        return None
    age = s.panel.values("period_end_age")
    return Finding(
        "old statements", WARNING, "Statements are about periods of the last 18 months",
        _rows(age > 548), _present(age), 'Join with max_age="18M".',
    )  # fmt: skip


def currencies(s: _Series) -> Finding | None:
    """Several currencies, or an asset that changes its own."""
    if "currency" not in s.panel.columns or not s.panel.is_categorical("currency"):
        return None
    codes = np.asarray(s.panel.categorical("currency").codes, np.int64)
    used = codes[codes >= 0]
    usual = int(np.bincount(used).argmax()) if used.size else 0
    return Finding(
        "currency mix", ERROR, "All rows are in one currency",
        _rows((codes >= 0) & (codes != usual)), int(used.size),
        "Convert returns and amounts to one currency.",
    )  # fmt: skip


def negative_caps(s: _Series) -> Finding | None:
    """Market cap below zero."""
    if not _has(s.panel, "market_cap"):
        return None
    cap = s.panel.values("market_cap")
    return Finding(
        "negative market caps", ERROR, "No market cap is below zero", _rows(cap < 0),
        _present(cap), "CRSP marks bid-ask averages by a minus sign: take absolute prices.",
    )  # fmt: skip


def future_dates(s: _Series) -> Finding | None:
    """Row dated after the month that runs today."""
    today = np.datetime64("today", "M")
    late = s.panel.dates.to_numpy("datetime64[M]") > today
    return Finding(
        "future dates", WARNING, "No date lies in the future", _rows(late[s.panel.date_codes]),
        len(s.panel), "Look for misread or mistyped years.",
    )  # fmt: skip


def stray_dates(s: _Series) -> Finding | None:
    """Rows that lie more than 100 empty months before or after all the others."""
    codes = np.unique(s.panel.date_codes)
    months = s.panel.dates.to_numpy("datetime64[M]").astype(np.int64)[codes]
    holes = np.flatnonzero(np.diff(months) > EMPTY_MONTHS + 1)
    stray = np.zeros(len(s.panel), np.bool_)
    for hole in holes:
        before = s.panel.date_codes <= codes[hole]
        stray |= before if 2 * before.sum() <= before.size else ~before
    return Finding(
        "stray dates", WARNING, f"No {EMPTY_MONTHS} months without rows lie between two dates",
        _rows(stray), len(s.panel), "Look for misread or mistyped years.",
    )  # fmt: skip


Check = Callable[[_Series], Finding | None]
QUICK: tuple[Check, ...] = (
    known_in_time, percent_returns, impossible_returns, prices_not_positive, negative_caps,
    currencies, future_dates, stray_dates,
)  # fmt: skip
CHECKS: tuple[Check, ...] = (
    *QUICK, jumps, stale_prices, unadjusted_splits, reused_assets, thin_dates, market_caps, parts,
    old_statements, survivors, split_steps, gaps, missing_returns, balance,
)  # fmt: skip
