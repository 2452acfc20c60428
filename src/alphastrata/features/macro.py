"""Macro series beside a panel: at each date the figures that were published by then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.panel import Panel
from alphastrata.errors import InputDataError, LookAheadError

Int64 = npt.NDArray[np.int64]

KNOWN_AT = "known_at"
STAGE, MISSING = "features", "left missing"

# A yearly figure is replaced after about a year; one that is older belongs to a series that ended.
OLD_DAYS = 400


def as_of_rows(reference: Int64, known: Int64, dates: Int64) -> Int64:
    """Return, for each date, the row of the latest figure that was known by then.

    Parameters
    ----------
    reference
        Day that each figure is about, shape (n,).
    known
        Day on which it became known, shape (n,).
    dates
        Days to look from, ascending, shape (m,).

    Returns
    -------
    ndarray of int64, shape (m,)
        Among the rows with ``known <= date`` the one about the latest day, and of several
        vintages of that day the latest; -1 where nothing was known.

    Examples
    --------
    >>> as_of_rows(np.array([0, 0, 31]), np.array([40, 90, 70]), np.array([39, 50, 80, 99]))
    array([-1,  0,  2,  2])
    """
    published = np.lexsort((np.arange(known.size), reference, known))
    seen = np.searchsorted(known[published], dates, side="right")
    best = np.empty(known.size + 1, dtype=np.int64)
    best[0] = -1
    for i, row in enumerate(published):
        last = best[i]
        # A revision of an older figure does not replace a newer figure.
        best[i + 1] = row if last < 0 or reference[row] >= reference[last] else last
    return best[seen]


def join_macro(
    panel: Panel | pd.DataFrame,
    series: pd.DataFrame,
    *,
    lag_days: int | None = None,
    interact: Mapping[str, Sequence[str]] | None = None,
) -> Panel:
    """Return the panel with macro series beside every asset, as known at the row's date.

    Parameters
    ----------
    panel
        Any panel, or a long frame that `Panel` accepts.
    series
        Indexed by the date that a figure is about (a month's or a quarter's end), one column per
        series, and a column "known_at" with the date of release. A date may appear several times
        with different releases: its vintages.
    lag_days
        For series without "known_at": days from the date that a figure is about to its release.
        The declaration is recorded in the panel's notes.
    interact
        Characteristic of the panel -> series to multiply it by; adds columns named
        ``characteristic_x_series``.

    Returns
    -------
    Panel
        The same rows with the new columns. Dates before the first release are missing and noted;
        dates that still show a figure of more than `OLD_DAYS` days ago are noted.

    Raises
    ------
    LookAheadError
        Where neither "known_at" nor ``lag_days`` says when figures became known, or a figure is
        known before the date that it is about.
    InputDataError
        For columns that are not numbers, exist in the panel, or are unknown to ``interact``.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31", "2020-02-29"], "asset": "A",
    ...                             "beta": [1.0, 2.0]}))
    >>> cpi = pd.DataFrame({"inflation": [0.02], "known_at": pd.to_datetime(["2020-02-13"])},
    ...                    index=pd.to_datetime(["2020-01-31"]))
    >>> join_macro(panel, cpi, interact={"beta": ["inflation"]}).values("beta_x_inflation")
    array([ nan, 0.04])
    """
    panel = panel if isinstance(panel, Panel) else Panel(panel)
    names = [str(c) for c in series.columns if c != KNOWN_AT]
    pairs = [(own, name) for own, many in (interact or {}).items() for name in many]
    reference, known = _read_dates(series, lag_days)
    _check(panel, series, names, pairs)
    calendar = panel.dates.to_numpy().astype("datetime64[D]").astype(np.int64)
    columns: dict[str, npt.NDArray[np.float64]] = {}
    notes = _declared(len(series), lag_days)
    for name in names:
        values = series[name].to_numpy(dtype=np.float64, na_value=np.nan)
        there = ~np.isnan(values)
        rows = as_of_rows(reference[there], known[there], calendar)
        by_date = np.append(values[there], np.nan)[rows]
        columns[name] = by_date[panel.date_codes]
        shown = np.append(reference[there], np.iinfo(np.int64).max)[rows]
        notes += _dates_noted(panel, f"{name}: dates before the first release", rows < 0, MISSING)
        old = calendar > shown.astype(np.float64) + OLD_DAYS
        notes += _dates_noted(panel, f"{name}: figures more than {OLD_DAYS} days old", old, "kept")
    for own, name in pairs:
        columns[f"{own}_x_{name}"] = panel.values(own) * columns[name]
    return panel.assign(columns).with_notes(notes)


def _read_dates(series: pd.DataFrame, lag_days: int | None) -> tuple[Int64, Int64]:
    """Return the days that figures are about and the days on which they became known."""
    if (KNOWN_AT in series.columns) == (lag_days is not None):
        raise LookAheadError(
            "join_macro needs to know when figures became known, in one way: a column "
            f"{KNOWN_AT!r} of the series, or lag_days= from the date that they are about."
        )
    found = Violations("join_macro")
    index = series.index
    if not isinstance(index, pd.DatetimeIndex) or index.tz is not None or index.hasnans:
        raise InputDataError(
            "join_macro: the series is indexed by dates without a time zone; got "
            f"{type(index).__name__}. Convert with pd.to_datetime."
        )
    reference = index.to_numpy().astype("datetime64[D]").astype(np.int64)
    if lag_days is not None:
        found.require(lag_days >= 0, "lag_days is not negative", first=str(lag_days))
        found.raise_if_any(LookAheadError)
        return reference, reference + lag_days
    released = pd.DatetimeIndex(pd.to_datetime(series[KNOWN_AT]))
    absent = np.asarray(released.isna())
    known = released.to_numpy().astype("datetime64[D]").astype(np.int64)
    early = ~absent & (known < reference)
    for rule, bad in (
        (f"Every figure has its {KNOWN_AT}", absent),
        ("A figure is known on its date or later", early),
    ):
        first = f"{index[int(np.argmax(bad))].date()}" if bad.any() else ""
        found.require(not bad.any(), rule, count=int(bad.sum()), first=first)
    found.raise_if_any(LookAheadError)
    return reference, known


def _check(
    panel: Panel, series: pd.DataFrame, names: list[str], pairs: list[tuple[str, str]]
) -> None:
    found = Violations("join_macro")
    for name in names:
        number = pd.api.types.is_numeric_dtype(series[name].dtype)
        found.require(number, "A macro series holds numbers", first=repr(name))
        infinite = number and np.isinf(series[name].to_numpy(dtype=np.float64, na_value=0.0))
        found.require(
            not np.any(infinite), "A macro series has no infinite values", first=repr(name)
        )
    made = [*names, *(f"{own}_x_{name}" for own, name in pairs)]
    taken = [name for name in made if name in panel.columns]
    found.require(
        not taken,
        "Columns are new to the panel",
        count=len(taken),
        first=", ".join(taken),
        remedy="Rename the series",
    )
    for own, name in pairs:
        numeric = own in panel.columns and not panel.is_categorical(own)
        found.require(numeric, "interact names numeric columns of the panel", first=repr(own))
        found.require(name in names, "interact names series", first=repr(name))
    found.raise_if_any()


def _dates_noted(panel: Panel, rule: str, mask: npt.NDArray[np.bool_], action: str) -> list[Note]:
    if not mask.any():
        return []
    first = f"date={panel.dates[int(np.argmax(mask))].date()}"
    return [Note(rule, int(mask.sum()), mask.size, first, action, STAGE)]


def _declared(n_rows: int, lag_days: int | None) -> list[Note]:
    if lag_days is None:
        return []
    rule = "macro figures without a date of release"
    action = f"taken as known {lag_days} days after the date that they are about"
    return [Note(rule, n_rows, n_rows, "", action, STAGE)]
