"""Legs: which strata are long and which are short, chosen from what is known on the date."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core import bydate
from alphastrata.core.checks import Note, Violations, is_whole, require_columns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.carrying import Labels, labels_in
from alphastrata.portfolio.returns import portfolio_returns
from alphastrata.portfolio.weights import Soft, Weighting, row_weights

Side = Literal["high", "low"]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Trailing:
    """Rank strata by their own mean return over the last ``periods`` dates known.

    Parameters
    ----------
    periods
        How many periods of the panel are averaged, at least 1; fewer known ones do at the start.

    Notes
    -----
    Needs strata whose labels keep their identity through time, as matched clusters do.

    Examples
    --------
    >>> Trailing(12)
    Trailing(periods=12)
    """

    periods: int = 12

    def __post_init__(self) -> None:
        if not (is_whole(self.periods) and self.periods >= 1):
            raise ConfigError(
                f"Trailing.periods is a whole number, at least 1; got {self.periods!r}."
            )


RankBy = str | Trailing | None


def legs(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    rank_by: RankBy = None,
    long: Side = "high",
    weighting: Weighting = "value",
) -> Strata:
    """Return strata of two: 1 is the long leg, 2 the short leg.

    Parameters
    ----------
    strata
        Ordered strata (the highest and the lowest become legs), or any with ``rank_by``.
    panel
        The market: holds the characteristic and the column that weighs.
    rank_by
        A characteristic, or `Trailing`. On each formation date strata are ranked by the weighted
        mean of the characteristic known then. Required for unordered strata.
    long
        Which end is long.
    weighting
        Weights of that mean.

    Raises
    ------
    ConfigError
        For unordered strata without ``rank_by``, or an unknown ``long``.
    InputDataError
        For a column that the panel lacks, or when no date has two strata to rank.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 2 + ["2020-02-29"] * 2,
    ...                             "asset": ["A", "B"] * 2, "ret": 0.0, "lev": [0.9, 0.1] * 2}))
    >>> clusters = Strata(pd.DataFrame({"A": [1], "B": [2]}, index=panel.dates[:1]), ordered=False)
    >>> legs(clusters, panel, rank_by="lev", weighting="equal").labels.tolist()
    [1, 2]
    """
    if isinstance(weighting, Soft):
        raise ConfigError("Strata are ranked by their labelled members; give the base of Soft.")
    panel = as_panel(panel)
    found, notes = leg_labels(strata, panel, rank_by=rank_by, long=long, weighting=weighting)
    kept = np.flatnonzero(found.codes)
    return Strata(
        pd.Series(found.codes[kept], index=strata.labels.index[kept]),
        ordered=False,
        names={1: "long", 2: "short"},
        source=f"legs of: {strata.source or 'strata'}",
        n=2,
        notes=[*strata.notes, *notes],
    )


def leg_labels(
    strata: Strata, panel: Panel, *, rank_by: RankBy, long: Side, weighting: Weighting
) -> tuple[Labels, list[Note]]:
    """Return labels 1 (long), 2 (short) and 0 (neither) coded as in the panel, and notes."""
    found = Violations("A long-short factor")
    found.require(
        long in get_args(Side), f"long is one of {', '.join(get_args(Side))}", first=repr(long)
    )
    found.require(
        strata.ordered or rank_by is not None,
        "Unordered strata have no natural long side",
        first=strata.source or "these strata",
        remedy="Say which with rank_by: a characteristic, or Trailing(periods)",
    )
    found.require(strata.n >= 2, "There are at least two strata", first=f"n={strata.n}")
    found.raise_if_any(ConfigError)
    labels = labels_in(strata, panel)
    n_dates = len(labels.dates)
    if rank_by is None:
        top = np.full(n_dates, strata.n, dtype=np.int64)
        bottom = np.ones(n_dates, dtype=np.int64)
        notes: list[Note] = []
    else:
        score = _scores(strata, labels, panel, rank_by, weighting)
        top, bottom, notes = _ends(score, labels.dates, rank_by)
    if long == "low":
        top, bottom = bottom, top
    size = np.diff(labels.offsets)
    is_long = labels.codes == np.repeat(top, size)
    is_short = labels.codes == np.repeat(bottom, size)
    codes = np.where(is_long, 1, np.where(is_short, 2, 0)).astype(np.int32)
    return Labels(labels.dates, labels.offsets, labels.assets, codes, 2), notes


def _scores(
    strata: Strata, labels: Labels, panel: Panel, rank_by: str | Trailing, weighting: Weighting
) -> Float64:
    """Return what strata are ranked by on each formation date, shape (n_formation_dates, K)."""
    last = np.searchsorted(panel.dates.to_numpy(), labels.dates.to_numpy(), side="right") - 1
    if isinstance(rank_by, Trailing):
        past = portfolio_returns(strata, panel, weighting=weighting).frame
        mean = past.rolling(rank_by.periods, min_periods=1).mean()
        rows = np.searchsorted(past.index.to_numpy(), labels.dates.to_numpy(), side="right") - 1
        out = np.full((len(labels.dates), labels.n), np.nan)
        out[rows >= 0] = mean.to_numpy()[rows[rows >= 0]]
        return out
    require_columns(panel.columns, [rank_by], "A long-short factor")
    wanted = np.repeat(last, np.diff(labels.offsets)).astype(np.int64)
    rows = panel.lookup(wanted, labels.assets)
    value = np.where(rows >= 0, panel.values(rank_by)[rows], np.nan)
    weight = np.where(rows >= 0, row_weights(panel, weighting)[rows], np.nan)
    weight = np.where(weight > 0.0, weight, np.nan)
    return bydate.weighted_mean(value, weight, labels.codes, labels.offsets, labels.n).mean


def _ends(
    score: Float64, dates: pd.DatetimeIndex, rank_by: str | Trailing
) -> tuple[Int64, Int64, list[Note]]:
    """Return the label with the highest and with the lowest score by date, 0 where undefined."""
    known = ~np.isnan(score)
    ranked = known.sum(axis=1) >= 2
    top = np.where(known, score, -np.inf).argmax(axis=1) + 1
    bottom = np.where(known, score, np.inf).argmin(axis=1) + 1
    ranked &= top != bottom
    if not ranked.any():
        raise InputDataError(
            f"On no formation date can two strata be ranked by {rank_by!r}; "
            "the panel lacks it on all of them, or all strata are equal in it."
        )
    notes = []
    if not ranked.all():
        first = f"date={dates[int(np.argmax(~ranked))].date()}"
        rule = f"formation dates on which fewer than two strata can be ranked by {rank_by!r}"
        notes.append(
            Note(rule, int((~ranked).sum()), len(dates), first, "without legs", "portfolio")
        )
    return np.where(ranked, top, 0), np.where(ranked, bottom, 0), notes
