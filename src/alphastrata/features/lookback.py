"""Which rows a characteristic looks back at: calendars, spans, and lanes of rows by asset."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.panel import Panel
from alphastrata.features.prices import Look

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

# Periods per span. A span that a frequency lacks cannot be counted in its periods.
SPANS = {
    "D": {
        "1d": 1,
        "1w": 5,
        "1m": 21,
        "3m": 63,
        "6m": 126,
        "11m": 231,
        "12m": 252,
        "24m": 504,
        "36m": 756,
        "60m": 1260,
    },
    "W": {"1w": 1, "3m": 13, "6m": 26, "12m": 52, "24m": 104, "36m": 156, "60m": 260},
    "M": {"1m": 1, "3m": 3, "6m": 6, "11m": 11, "12m": 12, "24m": 24, "36m": 36, "60m": 60},
    "Q": {"3m": 1, "6m": 2, "12m": 4, "24m": 8, "36m": 12, "60m": 20},
    "Y": {"12m": 1, "24m": 2, "36m": 3, "60m": 5},
}
PERIODS = {"D": "trading days", "W": "weeks", "M": "months", "Q": "quarters", "Y": "years"}

# A market may close for a long weekend, not for longer: daily data that end earlier than this
# many days before a date say nothing about that date.
FRESH_DAYS = 10


def clock_of(panel: Panel) -> Int64:
    """Return the period of each row, counted along the calendar, shape (n_rows,).

    Quarters and years are counted by the calendar, so that one without rows is a gap; days, weeks
    and months are positions in the panel's dates (which hold every month).
    """
    if panel.freq not in ("Q", "Y"):
        return panel.date_codes
    years = np.asarray(panel.dates.year, dtype=np.int64)
    quarters = np.asarray(panel.dates.quarter, dtype=np.int64)
    periods = years * 4 + quarters if panel.freq == "Q" else years
    return (periods - periods[:1])[panel.date_codes]


def days_of(panel: Panel) -> Int64:
    """Return the date of each row in days since 1970, shape (n_rows,)."""
    return panel.dates.to_numpy().astype("datetime64[D]").astype(np.int64)[panel.date_codes]


@dataclass(frozen=True)
class Lanes:
    """The rows of a source by asset, and the rows of a panel that look back at them.

    Attributes
    ----------
    order
        Source rows sorted by (asset, date), shape (n,).
    look
        Where each of the panel's assets lies in them, and the clock from which each of the panel's
        rows looks back, sorted by (asset, date); -1 where the source had no recent date.
    back
        Position in the panel of each of its rows sorted by (asset, date), shape (m,).
    """

    order: Int64
    look: Look
    back: Int64

    def gather(self, values: Float64) -> Float64:
        """Return values of the source's rows sorted by (asset, date)."""
        return np.asarray(values[self.order])

    def scatter(self, wanted: Float64) -> Float64:
        """Return one value per wanted row in the order of the panel's rows."""
        out = np.empty_like(wanted)
        out[self.back] = wanted
        return out


def own_lanes(panel: Panel) -> Lanes:
    """Return lanes in which a panel looks back at itself."""
    order, offsets = panel.asset_order(), panel.asset_offsets()
    clock = clock_of(panel)[order]
    return Lanes(order, Look(clock, offsets[:-1], offsets[1:], clock, offsets), order)


def lanes_into(source: Panel, panel: Panel) -> Lanes:
    """Return lanes in which a panel looks back at the dates of another up to its own.

    A row at t sees the source's dates <= t, and none where the last of them lies more than
    `FRESH_DAYS` days before t.
    """
    last = source.dates.searchsorted(panel.dates, side="right") - 1
    age = np.full(len(panel.dates), FRESH_DAYS + 1.0)
    seen = last >= 0
    spent = (panel.dates[seen] - source.dates[last[seen]]).to_numpy()
    age[seen] = spent / np.timedelta64(1, "D")
    clocks = np.where(age <= FRESH_DAYS, last, -1).astype(np.int64)
    order, offsets = source.asset_order(), source.asset_offsets()
    where = source.assets.get_indexer(panel.assets)
    start = np.where(where >= 0, offsets[:-1][where], 0)
    stop = np.where(where >= 0, offsets[1:][where], 0)
    back = panel.asset_order()
    at = clocks[panel.date_codes[back]]
    clock = source.date_codes[order]
    return Lanes(order, Look(clock, start, stop, at, panel.asset_offsets()), back)


@dataclass(frozen=True)
class Sources:
    """The panel that asks, and the daily panel that it may look at."""

    panel: Panel
    daily: Panel | None

    def of(self, where: str) -> Panel | None:
        """Return the panel meant by "panel", "daily" or "finest" (daily where there is one)."""
        if where == "panel":
            return self.panel
        return self.daily if where == "daily" or self.daily is not None else self.panel

    @cached_property
    def _own(self) -> Lanes:
        return own_lanes(self.panel)

    @cached_property
    def _into_daily(self) -> Lanes:
        assert self.daily is not None
        return self._own if self.daily is self.panel else lanes_into(self.daily, self.panel)

    def lanes(self, where: str) -> Lanes:
        """Return the lanes from the panel's rows into the source meant by ``where``."""
        return self._own if self.of(where) is self.panel else self._into_daily

    @cached_property
    def row_days(self) -> Int64:
        """Date of each of the panel's rows in days, shape (n_rows,)."""
        return days_of(self.panel)


def first_of(panel: Panel, mask: npt.NDArray[np.bool_]) -> str:
    """Return the first row that the mask marks as "date=..., asset=..."."""
    if not mask.any():
        return ""
    row = int(np.argmax(mask))
    date: pd.Timestamp = panel.dates[panel.date_codes[row]]
    return f"date={date.date()}, asset={panel.assets[panel.asset_codes[row]]}"
