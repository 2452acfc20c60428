"""From quoted bill yields to the riskless return of a period.

A yield is a quote about the future: the return of a month uses the yield that stood before the
month began.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from alphastrata.core.keys import month_end
from alphastrata.errors import InputDataError

Basis = Literal["discount", "investment"]


def bill_returns(
    yields: pd.Series, *, days: int, basis: Basis = "discount", freq: Literal["D", "M"] = "M"
) -> pd.Series:
    """Return the riskless return of each period from bill yields that were quoted before it.

    Parameters
    ----------
    yields : Series
        In percent a year, by the date of the quote (for monthly averages, any day of the month
        that was averaged).
    days : int
        Days to maturity of the bill: 28 or 91.
    basis : {"discount", "investment"}
        Bank-discount rate on 360 days, or simple investment yield on 365.
    freq : {"D", "M"}
        "M": one return per calendar month, dated by its end, from the last quote of a month
        before. "D": one return per quote, for the calendar days since the quote before.

    Returns
    -------
    Series
        Decimals per period, named "RF".

    Raises
    ------
    InputDataError
        Dates do not ascend, or a quote makes a price that is not positive.

    Notes
    -----
    A bill with discount rate d and n days to maturity costs P = 1 - d n / 360 per dollar of face
    value (investment yield y: P = 1 / (1 + y n / 365)). Held for D calendar days at a constant
    rate it earns P^(-D/n) - 1. A month earns at the rate that stood when it began: the return of
    month t comes from the last quote of month t - 1; where that month has none, from the last one
    before it, up to a year back.
    Source: US Treasury, 31 CFR 356, appendix B; Stigum, Money Market Calculations, chapter 4.

    Examples
    --------
    >>> quotes = pd.Series([5.0, 5.2], index=pd.to_datetime(["2023-06-30", "2023-07-31"]))
    >>> bill_returns(quotes, days=91).round(6).tolist()
    [0.004342, 0.004518]
    """
    quotes = yields.astype(np.float64).dropna()
    dates = pd.DatetimeIndex(quotes.index)
    if not dates.is_monotonic_increasing or not dates.is_unique or len(dates) == 0:
        raise InputDataError("Bill yields need dates that ascend without repeats, at least one.")
    rate = quotes.to_numpy() / 100.0
    price = 1.0 - rate * days / 360.0 if basis == "discount" else 1.0 / (1.0 + rate * days / 365.0)
    if not (price > 0.0).all() or not np.isfinite(price).all():
        first = dates[int(np.argmin(price))].date()
        raise InputDataError(
            f"A yield of {quotes.iloc[int(np.argmin(price))]} on {first} makes a bill that costs "
            "nothing. Yields are percent a year."
        )
    daily_log = -np.log(price) / days
    if freq == "D":
        gaps = np.diff(dates.to_numpy()) / np.timedelta64(1, "D")
        earned = np.expm1(daily_log[:-1] * gaps)
        return pd.Series(earned, index=dates[1:].rename("date"), name="RF")
    by_month = pd.Series(daily_log, index=month_end(dates)).groupby(level=0).last()
    months = pd.date_range(by_month.index[0], by_month.index[-1], freq="ME", unit="ns")
    filled = by_month.reindex(months).ffill(limit=11).dropna()
    earned_at = pd.DatetimeIndex(filled.index) + pd.offsets.MonthEnd(1)
    values = np.expm1(filled.to_numpy() * earned_at.day.to_numpy())
    return pd.Series(values, index=earned_at.as_unit("ns").rename("date"), name="RF")
