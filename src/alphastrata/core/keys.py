"""From the many shapes that users hand in to two arrays of codes: dates and assets."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.grouping import Int64

DATE, ASSET = "date", "asset"
FREQUENCIES = ("D", "W", "M", "Q", "Y")

# Days between neighbouring dates, at most, for each frequency.
_SPACING = (("D", 4.0), ("W", 10.0), ("M", 45.0), ("Q", 135.0), ("Y", np.inf))

_YEARS = (1678, 2261)  # the whole years that nanoseconds hold
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?|\d{8}", re.ASCII)
_WITH_ZONE = re.compile(_ISO_DATE.pattern.replace(r"|\d{8}", r" ?(Z|[+-]\d\d:?(\d\d)?)"), re.ASCII)
_ISO_ONLY = (
    "Write full ISO dates (YYYY-MM-DD), or parse them yourself with "
    "pd.to_datetime(..., dayfirst=...)"
)
_NUMBERS = (
    "Write full ISO dates (YYYY-MM-DD), or parse them yourself, e.g. "
    'pd.to_datetime(dates.astype(str), format="%Y%m%d")'
)
_NAIVE = "Take it off first, e.g. with tz_localize(None), or tz_convert(None) for UTC"


@dataclass(frozen=True)
class Keys:
    """Codes of every row into a calendar and a list of assets, both ascending."""

    dates: pd.DatetimeIndex
    assets: pd.Index
    date_codes: Int64
    asset_codes: Int64


def day(date: Any) -> str:
    """Return a date as YYYY-MM-DD, for messages."""
    return str(pd.Timestamp(date).date())


def infer_freq(dates: pd.DatetimeIndex) -> str:
    """Return "D", "W", "M", "Q" or "Y" from the spacing of ascending dates.

    The lower quartile of the gaps decides, so that missing dates do not make a monthly panel
    look quarterly. A single date says nothing; it counts as daily.
    """
    if len(dates) < 2:
        return "D"
    gaps = np.diff(dates.to_numpy()) / np.timedelta64(1, "D")
    days = float(np.quantile(gaps, 0.25, method="lower"))
    return next(freq for freq, most in _SPACING if days <= most)


def month_end(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the last calendar day of each date's month, at midnight."""
    months = dates.to_numpy().astype("datetime64[M]") + np.timedelta64(1, "M")
    return pd.DatetimeIndex(months.astype("datetime64[D]") - np.timedelta64(1, "D")).as_unit("ns")


def month_ends_between(first: pd.Timestamp, last: pd.Timestamp) -> pd.DatetimeIndex:
    """Return every month end from ``first`` to ``last``."""
    return pd.date_range(first, last, freq="ME", unit="ns")


def to_dates(values: pd.Index, found: Violations, what: str = "Dates") -> pd.DatetimeIndex | None:
    """Return time-zone-naive nanosecond dates, or None after recording why they are none.

    Text is read where it can mean one day only: YYYY-MM-DD, perhaps with a time, or YYYYMMDD. A
    year, a month, or 03/07/2015 is refused, and so are numbers: 20141231 would count as
    nanoseconds since 1970, and every later date would know it.

    Parameters
    ----------
    values
        Dates, periods (their last day counts), date objects or text; missing ones stay missing.
    found
        Collects what is wrong.
    what
        How messages call them.
    """
    kind = values.dtype
    if isinstance(kind, pd.CategoricalDtype):
        values = values.astype(kind.categories.dtype)
        kind = values.dtype
    if isinstance(kind, pd.PeriodDtype):
        return pd.PeriodIndex(values).to_timestamp(how="end").normalize().as_unit("ns")
    if isinstance(kind, pd.ArrowDtype) and kind.kind == "M":
        values = pd.DatetimeIndex(values.to_numpy())
        kind = values.dtype
    if isinstance(kind, pd.DatetimeTZDtype):
        _add(found, f"{what} carry no time zone", values, values.notna(), _NAIVE)
        return None
    if pd.api.types.is_datetime64_any_dtype(kind):
        return _nanoseconds(pd.DatetimeIndex(values), values, found, what)
    if pd.api.types.is_object_dtype(kind) or pd.api.types.is_string_dtype(kind):
        return _read_each(values, found, what)
    _add(found, f"{what} are dates, not numbers", values, values.notna(), _NUMBERS)
    return None


def _read_each(values: pd.Index, found: Violations, what: str) -> pd.DatetimeIndex | None:
    """Read text and date objects, each distinct one once."""
    codes, distinct = pd.factorize(values)
    kinds = np.array([_kind(value) for value in distinct], dtype=object)
    ok = True
    for kind, rule, remedy in (
        ("zone", f"{what} carry no time zone", _NAIVE),
        ("number", f"{what} are dates, not numbers", _NUMBERS),
        ("text", f"{what} can be read in one way only", _ISO_ONLY),
    ):
        bad = np.append(kinds == kind, False)[codes]
        if bad.any():
            _add(found, rule, values, bad, remedy)
            ok = False
    if not ok:
        return None
    read = pd.to_datetime(pd.Index([str(v) for v in distinct]), errors="coerce", format="ISO8601")
    lost = np.append(np.asarray(read.isna()), False)[codes]
    if lost.any():
        _add(found, f"{what} can be read as days of the calendar", values, lost, _ISO_ONLY)
    parsed = _nanoseconds(pd.DatetimeIndex(read), distinct, found, what)
    if parsed is None:
        return None
    return pd.DatetimeIndex(parsed.append(pd.DatetimeIndex([pd.NaT]).as_unit("ns")).take(codes))


def _kind(value: Any) -> str:
    """Say how one object can be read as a date, or why it cannot."""
    if isinstance(value, str):
        if _ISO_DATE.fullmatch(value):
            return "date"
        return "zone" if _WITH_ZONE.fullmatch(value) else "text"
    if isinstance(value, (dt.date, np.datetime64)):
        return "zone" if getattr(value, "tzinfo", None) is not None else "date"
    if isinstance(value, (int, float, complex, np.number, np.bool_)):
        return "number"
    return "text"


def _nanoseconds(
    dates: pd.DatetimeIndex, values: Any, found: Violations, what: str
) -> pd.DatetimeIndex | None:
    far = np.asarray((dates.year < _YEARS[0]) | (dates.year > _YEARS[1]))
    if far.any():
        rule = f"{what} lie between the years {_YEARS[0]} and {_YEARS[1]}"
        _add(found, rule, values, far, "Mend or drop these rows")
        return None
    return dates.as_unit("ns")


def _add(found: Violations, rule: str, values: Any, bad: Any, remedy: str) -> None:
    at = np.flatnonzero(np.asarray(bad))
    value = values[at[0]] if at.size else ""
    first = repr(value) if isinstance(value, str) and at.size else str(value)
    found.add(rule, count=int(at.size), first=first, remedy=remedy)


def _recode(codes: np.ndarray, level: pd.Index) -> tuple[Int64, pd.Index]:
    """Return codes into the used, ascending and distinct values of ``level``."""
    if not level.is_unique:
        again, level = pd.factorize(level)
        codes = np.where(codes >= 0, again[codes], -1)
    whole = not codes.size or codes.min() >= 0
    used = np.flatnonzero(np.bincount(codes if whole else codes[codes >= 0], minlength=len(level)))
    values = level.take(used)
    order = values.argsort()
    if whole and used.size == len(level) and bool((order == np.arange(used.size)).all()):
        return codes.astype(np.int64), values
    position = np.full(len(level) + 1, -1, dtype=np.int64)
    position[used[order]] = np.arange(used.size)
    return position[codes], values.take(order)


def _codes_and_levels(data: pd.DataFrame) -> tuple[list[np.ndarray], list[pd.Index]] | None:
    """Return codes and levels of (date, asset), from the index or from columns of that name."""
    index = data.index
    if isinstance(index, pd.MultiIndex) and index.nlevels == 2:
        names = list(index.names)
        order = [names.index(DATE), names.index(ASSET)] if {DATE, ASSET} <= set(names) else [0, 1]
        return (
            [np.asarray(index.codes[i], dtype=np.int64) for i in order],
            [index.levels[i] for i in order],
        )
    if DATE in data.columns and ASSET in data.columns:
        pairs = [pd.factorize(data[name]) for name in (DATE, ASSET)]
        return [np.asarray(c, dtype=np.int64) for c, _ in pairs], [pd.Index(u) for _, u in pairs]
    return None


def _check_assets(assets: pd.Index, found: Violations) -> None:
    kinds = {type(value).__name__ for value in assets}
    found.require(
        len(kinds) < 2,
        "Assets are all of one type",
        count=len(kinds),
        first=", ".join(sorted(kinds)),
        remedy="Convert them, e.g. with .astype(str)",
    )


def read_keys(
    data: pd.DataFrame, freq: str | None, found: Violations
) -> tuple[Keys, str, list[Note]] | None:
    """Return the keys of a long frame, its frequency and notes on dates that were moved.

    Parameters
    ----------
    data
        Long frame: index (date, asset), or columns named "date" and "asset".
    freq
        "D", "W", "M", "Q", "Y", or None to infer it.
    found
        Collects what is wrong with the keys.

    Returns
    -------
    tuple or None
        None where the keys cannot be read at all; the reason is in ``found``.
    """
    pair = _codes_and_levels(data)
    if pair is None:
        found.add(
            "Rows are keyed by (date, asset)",
            first=f"index {list(data.index.names)}, columns {list(data.columns)[:6]}",
            remedy='Set a MultiIndex (date, asset), or name two columns "date" and "asset"',
        )
        return None
    (raw_dates, raw_assets), (date_level, asset_level) = pair
    dates = to_dates(pd.Index(date_level), found)
    if dates is None:
        return None
    for name, codes, level in ((DATE, raw_dates, dates), (ASSET, raw_assets, asset_level)):
        absent = (codes < 0) | np.append(level.isna(), True)[codes]
        found.require(
            not absent.any(),
            f"Every row has {'a' if name == DATE else 'an'} {name}",
            count=int(absent.sum()),
            first=f"row {int(np.argmax(absent))}",
            remedy="Drop these rows or fill their key",
        )
    if found.messages:
        return None
    _check_assets(asset_level, found)
    if found.messages:
        return None
    return _calendar(raw_dates, raw_assets, dates, asset_level, freq)


def _calendar(
    raw_dates: np.ndarray,
    raw_assets: np.ndarray,
    dates: pd.DatetimeIndex,
    asset_level: pd.Index,
    freq: str | None,
) -> tuple[Keys, str, list[Note]]:
    date_codes, used = _recode(raw_dates, dates)
    asset_codes, assets = _recode(raw_assets, asset_level)
    calendar = pd.DatetimeIndex(used)
    freq = freq or infer_freq(calendar)
    notes: list[Note] = []
    if freq == "M" and len(calendar):
        ends = month_end(calendar)
        moved = np.flatnonzero(ends != calendar)
        if moved.size:
            notes.append(
                Note(
                    "monthly dates that are not calendar month ends",
                    int(moved.size),
                    len(calendar),
                    f"{calendar[moved[0]].date()}",
                    "moved to the month end",
                    "core",
                )
            )
        calendar = month_ends_between(ends[0], ends[-1])
        date_codes = calendar.get_indexer(ends).astype(np.int64)[date_codes]
    return Keys(calendar, assets.rename(ASSET), date_codes, asset_codes), freq, notes
