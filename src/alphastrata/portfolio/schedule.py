"""Which formation date is in force when a return is earned: strictly earlier, never later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Violations, is_whole
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError

Int64 = npt.NDArray[np.int64]

# Calendar months and business month ends differ by a few days; a label may live that much longer
# than the longest gap between formation dates seen so far.
SLACK_DAYS = 7.0


@dataclass(frozen=True)
class Overlapping:
    """Hold the mean of the ``periods`` latest cohorts, each formed on its own date.

    With strata formed every month, ``Overlapping(6)`` holds each month's portfolio for six
    months: the return of a month is the mean of six portfolios, formed one to six months ago.

    Parameters
    ----------
    periods
        How many cohorts are held at once, at least 1.

    References
    ----------
    Jegadeesh and Titman (1993), "Returns to buying winners and selling losers", Journal of
    Finance 48, section I.

    Examples
    --------
    >>> Overlapping(6)
    Overlapping(periods=6)
    """

    periods: int

    def __post_init__(self) -> None:
        if not (is_whole(self.periods) and self.periods >= 1):
            raise ConfigError(
                f"Overlapping.periods is a whole number, at least 1; got {self.periods!r}."
            )


Hold = int | Overlapping | None


def check_hold(hold: Hold, found: Violations) -> None:
    """Record a holding period that is neither None, a positive number nor `Overlapping`."""
    found.require(
        hold is None or isinstance(hold, Overlapping) or (is_whole(hold) and hold >= 1),
        "hold is None, a whole number of periods (at least 1), or Overlapping(periods)",
        first=repr(hold),
    )


def deadlines(dates: pd.DatetimeIndex, freq: str) -> pd.DatetimeIndex:
    """Return, for each date's return, the moment before which its labels were formed.

    A return is earned from the date before to its own date, so labels are formed by the end of
    the date before. On daily panels a label dated between two trading days (a month end on a
    Saturday) is what was known at the earlier day's end and earns the later day's return. On
    slower panels it would be dated inside the very period: a label of 30 January must not earn
    the return of January.

    Parameters
    ----------
    dates
        The panel's calendar, ascending.
    freq
        Its frequency.

    Returns
    -------
    pandas.DatetimeIndex
        One per date, and one more for returns that follow the last date.

    Examples
    --------
    >>> month_ends = pd.date_range("2020-01-31", periods=2, freq="ME")
    >>> deadlines(month_ends, "M")[1].isoformat()
    '2020-01-31T00:00:00.000000001'
    """
    ended = pd.DatetimeIndex(dates.as_unit("ns") + pd.Timedelta(1, "ns"))
    starts = dates[1:] if freq == "D" else ended[:-1]
    return pd.DatetimeIndex(dates[:1].append(starts).append(ended[-1:]))


def in_force(
    formed: pd.DatetimeIndex,
    dates: pd.DatetimeIndex,
    before: pd.DatetimeIndex,
    hold: int | None = None,
    back: int = 0,
) -> Int64:
    """Return the formation date whose labels earn each date's return.

    The labels of the last formation date before the return's deadline earn it. They live until
    the next formation date, but no longer than ``hold`` periods, or, without ``hold``, than the
    longest gap between formation dates up to their own (plus a week, since months differ in
    length). Nothing later than the formation date itself decides how long its labels live, so
    that cutting the data at t changes nothing up to t. The labels of the first formation date,
    before which there is no gap, live until the second.

    Parameters
    ----------
    formed
        Formation dates, ascending.
    dates
        Dates at which returns are earned, ascending.
    before
        Labels formed strictly before these moments may earn the return of the date: `deadlines`.
    hold
        Number of dates for which labels are held at most.
    back
        0 for the latest formation date before the return, j for the j-th before that (cohorts);
        with ``back`` the labels live ``back`` formation dates longer.

    Returns
    -------
    numpy.ndarray
        int64, shape (n_dates,): position in ``formed``, -1 where no labels are in force.

    Examples
    --------
    >>> month_ends = pd.date_range("2020-01-31", periods=4, freq="ME")
    >>> in_force(month_ends[:2], month_ends, month_ends)
    array([-1,  0,  1, -1])
    >>> in_force(month_ends[:2], month_ends, month_ends, hold=2)
    array([-1,  0,  1,  1])
    """
    usable = np.searchsorted(formed.to_numpy(), before.to_numpy(), side="left")
    latest = usable.astype(np.int64) - 1
    mine = np.maximum(latest, 0)
    if hold is not None:
        since = np.searchsorted(usable, np.arange(len(formed)) + 1, side="left")
        alive = np.arange(len(dates)) - since[mine] < hold
    else:
        days = np.asarray((formed - formed[0]) / pd.Timedelta(days=1))
        longest = np.maximum.accumulate(np.diff(days))
        limit = np.concatenate([[np.inf], longest + SLACK_DAYS])
        elapsed = np.asarray((dates - formed[0]) / pd.Timedelta(days=1)) - days[mine]
        alive = elapsed <= limit[mine]
    chosen = latest - back
    return np.where((latest >= 0) & alive & (chosen >= 0), chosen, -1).astype(np.int64)


def schedules(formed: pd.DatetimeIndex, panel: Panel, hold: Hold) -> Int64:
    """Return `in_force` for every cohort, shape (n_cohorts, n_dates); none on the first date."""
    cohorts = hold.periods if isinstance(hold, Overlapping) else 1
    periods = None if isinstance(hold, Overlapping) else hold
    before = deadlines(panel.dates, panel.freq)[:-1]
    out = np.stack([in_force(formed, panel.dates, before, periods, j) for j in range(cohorts)])
    out[:, 0] = -1
    return out


def following(formed: pd.DatetimeIndex, panel: Panel, hold: Hold) -> Int64:
    """Return, for each date, the formation dates in force after it, shape (n_cohorts, n_dates)."""
    cohorts = hold.periods if isinstance(hold, Overlapping) else 1
    periods = None if isinstance(hold, Overlapping) else hold
    before = deadlines(panel.dates, panel.freq)[1:]
    dates = pd.DatetimeIndex(panel.dates[1:].append(before[-1:]))
    return np.stack([in_force(formed, dates, before, periods, j) for j in range(cohorts)])
