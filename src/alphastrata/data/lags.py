"""Declared lags: how long after its period end a statement counts as known."""

from __future__ import annotations

import re

import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.data.clocks import read_clock
from alphastrata.errors import ConfigError, LookAheadError

__all__ = ["Age", "Lag", "apply_lag", "days_of"]

Lag = str | int | pd.Timedelta | pd.DateOffset
Age = str | int | pd.Timedelta
_LAG = re.compile(r"^\s*(\d+)\s*([DWMQY])\s*$", re.IGNORECASE)


def apply_lag(period_end: pd.Series, lag: Lag) -> pd.Series[pd.Timestamp]:
    """Return the dates on which statements count as known under a declared lag.

    Parameters
    ----------
    period_end
        Datetime series of period ends.
    lag
        ``"4M"`` (calendar months; a month end stays a month end), ``"120D"``, ``"8W"``, ``"1Q"``,
        ``"1Y"``, a number of days, a ``Timedelta`` or a ``DateOffset``. Never negative.

    Returns
    -------
    pandas.Series
        ``period_end`` moved forward by the lag.

    Raises
    ------
    ConfigError
        The lag cannot be read.
    LookAheadError
        The lag is negative: statements would be known before their period ends.
    InputDataError
        Period ends are no dates.

    Examples
    --------
    >>> import pandas as pd
    >>> apply_lag(pd.Series(pd.to_datetime(["2013-02-28"])), "4M").dt.strftime("%Y-%m-%d")[0]
    '2013-06-30'
    """
    found = Violations("period ends")
    ends = read_clock(pd.Series(period_end), found, required=False)
    found.raise_if_any()
    offset = _parse_lag(lag)
    if isinstance(offset, int):  # whole months
        month_end = ends.dt.is_month_end
        moved = ends + pd.DateOffset(months=offset)
        known = moved.where(~month_end, moved + pd.offsets.MonthEnd(0))
    else:
        known = ends + offset
    early = known < ends
    if bool(early.any()):
        raise LookAheadError(
            f"A lag must not be negative; got {lag!r}. "
            "A statement cannot be known before its period ends."
        )
    return known


def _parse_lag(lag: Lag) -> int | pd.Timedelta | pd.DateOffset:
    """Months as an int, everything else as an offset that pandas can add."""
    if isinstance(lag, str):
        match = _LAG.match(lag)
        if match is None:
            raise ConfigError(
                f"A lag is a whole number and one of D, W, M, Q, Y; got {lag!r}. "
                'Write "4M" or "120D".'
            )
        count, unit = int(match[1]), match[2].upper()
        if unit in "DW":
            return pd.Timedelta(days=count * (7 if unit == "W" else 1))
        return count * {"M": 1, "Q": 3, "Y": 12}[unit]
    if isinstance(lag, bool) or not isinstance(lag, (int, pd.Timedelta, pd.DateOffset)):
        raise ConfigError(f'A lag is a string such as "4M" or a number of days; got {lag!r}.')
    return pd.Timedelta(days=lag) if isinstance(lag, int) else lag


def days_of(age: Age) -> float:
    """Return an age limit in days; calendar units count at their mean length.

    Examples
    --------
    >>> days_of("120D"), days_of("12M")
    (120.0, 365.25)
    """
    parsed = _parse_lag(age)
    if isinstance(parsed, int):
        return parsed * 365.25 / 12
    if isinstance(parsed, pd.Timedelta):
        return parsed / pd.Timedelta(days=1)
    raise ConfigError(f'An age limit is a string such as "18M" or a number of days; got {age!r}.')
