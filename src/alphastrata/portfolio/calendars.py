"""Formation calendars: on which dates of a panel strata are formed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import is_whole
from alphastrata.errors import ConfigError

Rebalance = str | int | Sequence[int] | None

_PERIODS = {"W": "W", "M": "M", "Q": "Q", "Y": "Y"}


def formation_dates(dates: pd.DatetimeIndex, rebalance: Rebalance = None) -> npt.NDArray[np.intp]:
    """Return the positions of the dates on which strata are formed.

    Parameters
    ----------
    dates
        The panel's calendar, ascending.
    rebalance
        None for every date; "W", "M", "Q" or "Y" for the last date of each week, month, quarter
        or year; a month number (6) or several (3, 9) for the last date of these months.

    Returns
    -------
    numpy.ndarray
        Ascending positions. The calendar's final date counts only if no business day of its
        period follows, so that cutting the data in mid-month forms no strata of its own.

    Raises
    ------
    ConfigError
        For a rule that is none of these.

    Examples
    --------
    >>> formation_dates(pd.date_range("2020-01-31", periods=12, freq="ME"), 6)
    array([5])
    """
    if rebalance is None:
        return np.arange(len(dates))
    months: set[int] | None = None
    if isinstance(rebalance, str):
        if rebalance not in _PERIODS:
            raise ConfigError(
                f"rebalance is None, one of {', '.join(_PERIODS)}, or months 1 to 12; "
                f"got {rebalance!r}."
            )
        unit = _PERIODS[rebalance]
    else:
        months = {rebalance} if is_whole(rebalance) else set(np.atleast_1d(rebalance).tolist())
        if not months or not all(is_whole(m) and 1 <= m <= 12 for m in months):
            raise ConfigError(f"Months of rebalancing are 1 to 12, got {rebalance!r}.")
        unit = "M"
    periods = dates.to_period(unit)
    code = periods.asi8
    last = np.append(code[1:] != code[:-1], False)
    next_business_day = dates[-1] + pd.offsets.BDay(1)
    last[-1] = next_business_day.to_period(unit) != periods[-1]
    if months is not None:
        last &= np.isin(dates.month, sorted(months))
    return np.flatnonzero(last)
