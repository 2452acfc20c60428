"""The dates of the French library: from digits to days, their frequency, and their order."""

from __future__ import annotations

import re
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.errors import InputDataError

Frequency = Literal["D", "W", "M", "Y"]

FREQUENCY_WORDS: dict[Frequency, str] = {
    "D": "daily",
    "W": "weekly",
    "M": "monthly",
    "Y": "annual",
}
"""How the library's titles call a frequency."""


def dates_of(codes: NDArray[np.int64], digits: int, where: str) -> pd.DatetimeIndex:
    """Return the day, the end of the month or the end of the year for dates printed as integers."""
    if digits == 4:
        year, month, day = codes, np.full_like(codes, 12), np.ones_like(codes)
    elif digits == 6:
        year, month, day = codes // 100, codes % 100, np.ones_like(codes)
    else:
        year, month, day = codes // 10000, codes // 100 % 100, codes % 100
    bad = (month < 1) | (month > 12) | (day < 1) | (day > 31) | (year < 1800) | (year > 2200)
    if bad.any():
        raise InputDataError(
            f"{where}: {int(bad.sum()):,} dates are not in the calendar. First: "
            f"{codes[bad.argmax()]}."
        )
    months = (year - 1970) * 12 + month - 1
    starts = months.astype("datetime64[M]").astype("datetime64[D]")
    if digits == 8:
        days = starts + (day - 1)
        if (days.astype("datetime64[M]") != months.astype("datetime64[M]")).any():
            raise InputDataError(f"{where}: a day lies past the end of its month.")
    else:
        days = (months + 1).astype("datetime64[M]").astype("datetime64[D]") - 1
    return pd.DatetimeIndex(days.astype("datetime64[ns]"), name="date")


def frequency_of(dates: pd.DatetimeIndex, digits: int, title: str, where: str) -> Frequency:
    """Return the frequency that the digits and the steps of the dates show."""
    frequency: Frequency = "Y" if digits == 4 else "M"
    if digits == 8:
        steps = np.diff(dates.to_numpy()) / np.timedelta64(1, "D")
        frequency = "W" if len(steps) and np.median(steps) >= 5 else "D"
    words = {word: letter for letter, word in FREQUENCY_WORDS.items()}
    said = {words[word] for word in re.findall(r"\w+", title.lower()) if word in words}
    if len(said) == 1 and frequency not in said:
        raise InputDataError(
            f"{where}: the title {title!r} and the dates (first {dates[0].date()}) disagree on "
            "the frequency."
        )
    return frequency


def check_dates(dates: pd.DatetimeIndex, frequency: Frequency, where: str) -> None:
    """Refuse dates that repeat, run backwards, or leave a month or a year out."""
    steps = np.diff(dates.to_numpy())
    wrong = np.flatnonzero(steps <= np.timedelta64(0))
    if len(wrong):
        raise InputDataError(
            f"{where}: dates must ascend without repeats; {len(wrong)} do not. "
            f"First: {dates[wrong[0] + 1].date()}."
        )
    if frequency in ("M", "Y"):
        months = dates.year.to_numpy() * 12 + dates.month.to_numpy()
        holes = np.flatnonzero(np.diff(months) != (1 if frequency == "M" else 12))
    else:
        # The longest closure in the library, the bank holiday of March 1933, took twelve days.
        days = 15 if frequency == "D" else 30
        holes = np.flatnonzero(steps > np.timedelta64(days, "D"))
    if len(holes):
        raise InputDataError(
            f"{where}: {len(holes)} holes between the dates, the first after "
            f"{dates[holes[0]].date()}: rows are lost. Fetch the file again."
        )
