"""Rolling windows: what is trained on, when labels are formed, when they are held."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError, InputDataError, LookAheadError


@dataclass(frozen=True)
class Window:
    """One window: training dates <= formation date < holding dates.

    Attributes
    ----------
    index
        Position of the window, from 0.
    train
        Dates whose values may be used, ascending; the last is at most the formation date.
    formation
        The date on which labels are formed, from what was known then.
    holding
        Dates on which the labels earn returns; none yet for labels formed on the last date.
    """

    index: int
    train: pd.DatetimeIndex
    formation: pd.Timestamp
    holding: pd.DatetimeIndex

    def __post_init__(self) -> None:
        if not len(self.train):
            raise InputDataError("A window trains on at least one date; got none.")
        if self.train.max() > self.formation:
            raise LookAheadError(
                f"Training dates end by the formation date {self.formation.date()}; "
                f"the last is {self.train.max().date()}."
            )
        if len(self.holding) and self.holding.min() <= self.formation:
            raise LookAheadError(
                f"Holding begins after the formation date {self.formation.date()}; "
                f"the first is {self.holding.min().date()}."
            )


@dataclass(frozen=True)
class RollingWindows:
    """Windows of ``length`` dates, a new one every ``step`` dates.

    Parameters
    ----------
    length
        Training dates in a window, in periods of the data.
    step
        Periods between formation dates, and so the periods for which labels are held.
    expanding
        Keep the first training date, so that windows grow.

    Examples
    --------
    >>> import pandas as pd
    >>> dates = pd.date_range("2000-01-31", periods=60, freq="ME")
    >>> windows = RollingWindows(length=36, step=12).split(dates)
    >>> [(str(w.formation.date()), len(w.train), len(w.holding)) for w in windows]
    [('2002-12-31', 36, 12), ('2003-12-31', 36, 12), ('2004-12-31', 36, 0)]
    """

    length: int
    step: int = 1
    expanding: bool = False

    def __post_init__(self) -> None:
        found = Violations("RollingWindows")
        for name in ("length", "step"):
            value = getattr(self, name)
            found.require(
                isinstance(value, int) and value >= 1,
                f"{name} is a whole number of periods, at least 1",
                first=repr(value),
            )
        found.raise_if_any(ConfigError)

    def split(self, dates: pd.DatetimeIndex) -> list[Window]:
        """Return the windows over a calendar of unique, ascending dates.

        Raises
        ------
        InputDataError
            When the calendar is shorter than one window, or not unique and ascending.
        """
        dates = pd.DatetimeIndex(dates)
        if not (dates.is_monotonic_increasing and dates.is_unique):
            raise InputDataError("RollingWindows.split takes unique, ascending dates.")
        if len(dates) < self.length:
            raise InputDataError(
                f"One window needs {self.length} dates; the calendar has {len(dates)}. "
                "Shorten the window or lengthen the sample."
            )
        return [
            Window(
                index=i,
                train=dates[0 if self.expanding else end - self.length : end],
                formation=dates[end - 1],
                holding=dates[end : end + self.step],
            )
            for i, end in enumerate(range(self.length, len(dates) + 1, self.step))
        ]
