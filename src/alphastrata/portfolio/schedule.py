"""Which formation date is in force when a return is earned: strictly earlier, never later."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Violations
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
        if not (isinstance(self.periods, int) and self.periods >= 1):
            raise ConfigError(
                f"Overlapping.periods is a whole number, at least 1; got {self.periods!r}."
            )


Hold = int | Overlapping | None


def check_hold(hold: Hold, found: Violations) -> None:
    """Record a holding period that is neither None, a positive number nor `Overlapping`."""
    whole = isinstance(hold, int) and not isinstance(hold, bool) and hold >= 1
    found.require(
        hold is None or whole or isinstance(hold, Overlapping),
        "hold is None, a whole number of periods (at least 1), or Overlapping(periods)",
        first=repr(hold),
    )


def in_force(
    formed: pd.DatetimeIndex, dates: pd.DatetimeIndex, hold: int | None = None, back: int = 0
) -> Int64:
    """Return the formation date whose labels earn each date's return.

    The labels of the last formation date strictly before a date earn its return. They live until
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
    >>> in_force(month_ends[:2], month_ends)
    array([-1,  0,  1, -1])
    >>> in_force(month_ends[:2], month_ends, hold=2)
    array([-1,  0,  1,  1])
    """
    earlier = np.searchsorted(formed.to_numpy(), dates.to_numpy(), side="left")
    latest = earlier.astype(np.int64) - 1
    if hold is not None:
        since = np.searchsorted(dates.to_numpy(), formed.to_numpy(), side="right")
        age = np.arange(len(dates)) - since[np.maximum(latest, 0)]
        alive = age < hold
    else:
        days = (formed - formed[0]) / pd.Timedelta(days=1)
        longest = np.maximum.accumulate(np.diff(days))
        limit = np.concatenate([[np.inf], longest + SLACK_DAYS])
        elapsed = (dates - formed[0]) / pd.Timedelta(days=1) - np.asarray(days)[
            np.maximum(latest, 0)
        ]
        alive = np.asarray(elapsed) <= limit[np.maximum(latest, 0)]
    chosen = latest - back
    return np.where((latest >= 0) & alive & (chosen >= 0), chosen, -1).astype(np.int64)
