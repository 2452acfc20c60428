"""Days on which the New York Stock Exchange trades, by its rules since 1971."""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas.tseries.holiday import (
    AbstractHolidayCalendar,
    GoodFriday,
    Holiday,
    USLaborDay,
    USMartinLutherKingJr,
    USMemorialDay,
    USPresidentsDay,
    USThanksgivingDay,
    nearest_workday,
    sunday_to_monday,
)

CLOSED_ONCE = (
    "1972-11-07",  # election
    "1972-12-28",  # Harry Truman's funeral
    "1973-01-25",  # Lyndon Johnson's funeral
    "1976-11-02",  # election
    "1977-07-14",  # blackout in New York
    "1980-11-04",  # election
    "1985-09-27",  # hurricane Gloria
    "1994-04-27",  # Richard Nixon's funeral
    "2001-09-11",
    "2001-09-12",
    "2001-09-13",
    "2001-09-14",
    "2004-06-11",  # Ronald Reagan's funeral
    "2007-01-02",  # Gerald Ford's funeral
    "2012-10-29",  # hurricane Sandy
    "2012-10-30",
    "2018-12-05",  # George H. W. Bush's funeral
    "2025-01-09",  # Jimmy Carter's funeral
)
"""Full days without trading that no rule foretells."""


class _Nyse(AbstractHolidayCalendar):
    """Holidays by rule; one that falls on a New Year's Saturday is not made up for."""

    rules = [  # noqa: RUF012
        Holiday("New Year", month=1, day=1, observance=sunday_to_monday),
        USMartinLutherKingJr,
        USPresidentsDay,
        GoodFriday,
        USMemorialDay,
        Holiday("Juneteenth", month=6, day=19, observance=nearest_workday, start_date="2022-01-01"),
        Holiday("Independence", month=7, day=4, observance=nearest_workday),
        USLaborDay,
        USThanksgivingDay,
        Holiday("Christmas", month=12, day=25, observance=nearest_workday),
    ]


def nyse_holidays(start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    """Return the weekdays from `start` to `end` without trading, as datetime64[D].

    Martin Luther King Day counts from 1998 on, when the exchange began to observe it.
    """
    days = pd.DatetimeIndex(_Nyse().holidays(start, end))
    king = (days.month == 1) & (days.day >= 15) & (days.year < 1998)
    once = pd.DatetimeIndex(CLOSED_ONCE)
    once = once[(once >= start) & (once <= end)]
    kept = days[~king & (days.day_of_week < 5)]
    return np.union1d(kept.to_numpy("datetime64[D]"), once.to_numpy("datetime64[D]"))


def next_session(dates: pd.DatetimeIndex) -> pd.DatetimeIndex:
    """Return the first trading day after each date.

    Parameters
    ----------
    dates : DatetimeIndex
        Calendar days, trading days or not.

    Examples
    --------
    >>> next_session(pd.DatetimeIndex(["2024-07-03", "2024-03-28"])).strftime("%Y-%m-%d").tolist()
    ['2024-07-05', '2024-04-01']
    """
    if len(dates) == 0:
        return dates
    span = pd.Timedelta(days=20)
    holidays = nyse_holidays(dates.min() - span, dates.max() + span)
    days = dates.to_numpy().astype("datetime64[D]")
    # A day off is first rolled back to the session before it, so that one step leads past it.
    ahead = np.busday_offset(days, 1, roll="backward", holidays=holidays)
    return pd.DatetimeIndex(ahead).as_unit("ns")
