"""What was planted in a simulated market, as tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.shown import Shown
from alphastrata.data.simulate_paths import FAILED, MERGED, Lives
from alphastrata.data.simulate_statements import Filings
from alphastrata.data.simulate_strata import States

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

BURN_IN = 36
"""Months simulated before the first one that the user sees."""

FACTOR_NAMES = ("Mkt-RF", "SMB", "HML", "Mom")


@dataclass(frozen=True)
class Truth(Shown):
    """What was planted in a simulated market.

    Attributes
    ----------
    labels
        Stratum 1..K of each (date, asset) that trades at the date; nullable integers.
    betas
        Asset x factor, constant through time.
    premia
        Characteristic -> premium per month and standard deviation.
    z
        (date, asset) x characteristic: cross-sectional rank of the characteristic as known at
        that date, scaled to mean 0 and standard deviation 1 (ddof=0) over the assets that have
        it, and 0 for those that lack it. The slopes of a regression of ``ret`` on these, one
        month earlier, are the premia.
    expected_alpha
        Per (formation date, asset): sum of premium times z, the part of the next month's
        expected return that the factors do not explain.
    events
        One row per event: ``date``, ``asset``, ``event`` (entry, exit, delisting, migration,
        restatement), ``period_end`` (of restatements), ``value`` (loss of a delisting, new
        stratum of a migration).
    """

    labels: pd.Series
    betas: pd.DataFrame
    premia: Mapping[str, float]
    z: pd.DataFrame
    expected_alpha: pd.Series
    events: pd.DataFrame


@dataclass(frozen=True)
class Sample:
    """Names, dates and lives of the months that the user sees."""

    names: pd.Index
    dates: pd.DatetimeIndex
    day: Int64
    trading: Bool
    lives: Lives

    def cells(self) -> tuple[Int64, Int64, Bool]:
        """Month and asset of each row, sorted, and whether it trades (else: the last return)."""
        trades = self.trading[:, 1:]
        rows = trades.copy()
        gone = np.flatnonzero(self.lives.fate)
        rows[gone, self.lives.last[gone]] = True
        month, asset = np.nonzero(rows.T)
        return month, asset, trades[asset, month]


def truth_of(
    sample: Sample,
    states: States,
    filings: Filings,
    period_day: Int64,
    betas: Float64,
    premia: dict[str, float],
    z: Float64,
    alpha: Float64,
) -> Truth:
    """Return what was planted, on the rows that trade.

    Parameters
    ----------
    sample
        The months and assets that the user sees.
    states, filings, period_day
        Strata, publications, and the days of the period ends.
    betas
        float64[n, 4].
    premia, z, alpha
        Premia, standardised ranks float64[3, n, periods + 1] and their sum; the first month is
        the one before the sample.
    """
    month, asset, trades = sample.cells()
    month, asset = month[trades], asset[trades]
    index = pd.MultiIndex.from_arrays(
        [sample.dates.take(month), sample.names.take(asset)], names=["date", "asset"]
    )
    labels = pd.Series(states.labels[asset, BURN_IN + month], index, dtype="Int64", name="label")
    scores = {name: z[j, asset, month + 1] for j, name in enumerate(premia)}
    return Truth(
        labels=labels,
        betas=pd.DataFrame(betas, sample.names, list(FACTOR_NAMES)),
        premia=MappingProxyType(premia),
        z=pd.DataFrame(scores, index),
        expected_alpha=pd.Series(alpha[asset, month + 1], index, name="expected_alpha"),
        events=_events(sample, states, filings, period_day),
    )


def _events(sample: Sample, states: States, filings: Filings, period_day: Int64) -> pd.DataFrame:
    """Everything that happened to assets while they were in the sample, by date."""
    lives, names, dates = sample.lives, sample.names, sample.dates
    parts = []

    def add(event: str, asset: Int64, when: object, **more: object) -> None:
        parts.append(
            pd.DataFrame({"date": when, "asset": names.take(asset), "event": event, **more})
        )

    entered = np.flatnonzero(lives.entry >= 0)
    add("entry", entered, dates.take(lives.entry[entered]))
    for event, fate in (("exit", MERGED), ("delisting", FAILED)):
        gone = np.flatnonzero(lives.fate == fate)
        add(event, gone, dates.take(lives.last[gone]), value=-lives.loss[gone])
    moved, at = states.migrations[:, 0], states.migrations[:, 1] - BURN_IN
    seen = (at >= np.maximum(lives.entry[moved], 0)) & (at <= lives.last[moved])
    add(
        "migration",
        moved[seen],
        dates.take(at[seen]),
        value=states.migrations[seen, 3].astype(float),
    )
    again = np.any(filings.shift != 0.0, axis=1)
    asset, known = filings.asset[again], filings.known_day[again]
    period = period_day[asset, filings.period[again]].astype("datetime64[D]")
    inside = (known > sample.day[0]) & (known <= sample.day[lives.last[asset]])
    add(
        "restatement",
        asset[inside],
        known[inside].astype("datetime64[D]").astype("datetime64[ns]"),
        period_end=period[inside].astype("datetime64[ns]"),
    )
    events = pd.concat(parts, ignore_index=True)
    events = events[["date", "asset", "event", "period_end", "value"]]
    return events.sort_values(["date", "asset", "event"], ignore_index=True)
