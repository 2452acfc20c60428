"""One characteristic -> one factor: size-neutral 2x3, quantile spread, rank- or signal-weighted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core import bydate
from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.factors import FactorReturns, Holdings
from alphastrata.core.panel import Panel, as_panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.calendars import Rebalance, formation_dates
from alphastrata.portfolio.carrying import Labels, labels_in
from alphastrata.portfolio.eligible import Screen, screened_rows
from alphastrata.portfolio.factors import Plan, planned_holdings, planned_returns
from alphastrata.portfolio.returns import Missing
from alphastrata.portfolio.schedule import Hold
from alphastrata.portfolio.sides import Side
from alphastrata.portfolio.sorting import Breakpoints, Quantiles
from alphastrata.portfolio.sorts import joint_sort, quantile_sort
from alphastrata.portfolio.targets import Sides
from alphastrata.portfolio.weights import Soft, Weighting, describe, row_weights

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class TwoByThree:
    """Two size groups by three groups of the characteristic; size-neutral.

    The factor is the mean of the small and the big portfolio on the long side, minus the mean of
    the two on the short side, as Fama and French (1993) build HML.

    Parameters
    ----------
    percentiles
        Breakpoints of the characteristic.
    size
        Column of size, split at its median.

    Examples
    --------
    >>> TwoByThree().percentiles
    (0.3, 0.7)
    """

    percentiles: tuple[float, float] = (0.3, 0.7)
    size: str = "market_cap"


@dataclass(frozen=True)
class Quantile:
    """The highest of ``n`` quantiles minus the lowest.

    Parameters
    ----------
    n
        Number of quantiles, or the percentiles themselves, such as (0.3, 0.7).

    Examples
    --------
    >>> Quantile(10)
    Quantile(n=10)
    """

    n: Quantiles = 5


Method = Literal["size_neutral_2x3", "quantile", "rank", "signal"] | TwoByThree | Quantile
# As many as quintiles need; fewer assets are no portfolio.
LEAST_ASSETS = 5
_METHODS = ("size_neutral_2x3", "quantile", "rank", "signal")


def factor(
    panel: Panel | pd.DataFrame,
    by: str,
    *,
    method: Method = "size_neutral_2x3",
    long: Side = "high",
    weighting: Weighting | None = None,
    breakpoints: Breakpoints = "all",
    rebalance: Rebalance = None,
    name: str | None = None,
    where: Screen | Breakpoints = "all",
    hold: Hold = None,
    missing: Missing = "renormalise",
) -> FactorReturns:
    """Return the factor that a characteristic makes.

    Parameters
    ----------
    panel
        Holds the characteristic, returns and ``market_cap``.
    by
        The characteristic's column.
    method
        "size_neutral_2x3" or a `TwoByThree`; "quantile" (quintiles) or a `Quantile`; "rank": each
        asset weighs by its distance from the mean rank; "signal": by its z-score on the date.
        Long weights sum to one, and so do short ones; dates with fewer than five assets are
        skipped and counted.
    long
        "high" or "low": which end of the characteristic is long.
    weighting
        Weights inside the sorted portfolios, value-weighted when None; multiplies rank and signal
        weights, which stand alone when None.
    breakpoints
        Whose breakpoints, as for `quantile_sort`; rank and signal use all assets.
    rebalance
        When portfolios are formed, as for `quantile_sort`.
    name
        The factor's name; the characteristic's when None.
    where
        Which assets are sorted or weighted at all, as for `quantile_sort`.
    hold, missing
        How long portfolios are held and what a missing return does, as for `portfolio_returns`.

    Returns
    -------
    FactorReturns
        ``kind="zero_cost"``, with one-sided turnover and counts beside it.

    Raises
    ------
    ConfigError
        For an unknown method or side.
    InputDataError
        For columns that the panel lacks.

    References
    ----------
    Fama and French (1993), "Common risk factors in the returns on stocks and bonds", Journal of
    Financial Economics 33. Rank weights: Asness, Moskowitz and Pedersen (2013), "Value and
    momentum everywhere", Journal of Finance 68, equation 3.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({
    ...     "date": ["2020-01-31"] * 5 + ["2020-02-29"] * 5, "asset": list("ABCDE") * 2,
    ...     "ret": [0.0] * 5 + [0.01, 0.01, 0.05, 0.03, 0.03], "lev": [1.0, 2, 3, 4, 5] * 2,
    ... })
    >>> factor(Panel(rows), "lev", method="rank", name="LEV").frame["LEV"].round(4).tolist()
    [0.02]
    """
    panel = as_panel(panel)
    require_columns(panel.columns, ["ret"], "A factor")
    plan = _plan(panel, by, method, long, weighting, breakpoints, rebalance, name, where)
    return planned_returns(plan, panel, hold=hold, missing=missing)


def factor_holdings(
    panel: Panel | pd.DataFrame,
    by: str,
    *,
    method: Method = "size_neutral_2x3",
    long: Side = "high",
    weighting: Weighting | None = None,
    breakpoints: Breakpoints = "all",
    rebalance: Rebalance = None,
    name: str | None = None,
    where: Screen | Breakpoints = "all",
    hold: Hold = None,
    legs: Sides = "long_short",
) -> Holdings:
    """Return the weights of the factor that a characteristic makes, on its formation dates.

    Parameters
    ----------
    panel, by, method, long, weighting, breakpoints, rebalance, name, where, hold
        As for `factor`.
    legs
        "long_short", netted where cohorts overlap, or "long", the long leg alone.

    Returns
    -------
    Holdings
        Long weights sum to one, short ones to minus one: what `run_backtest` trades to.

    Raises
    ------
    ConfigError, InputDataError
        As for `factor`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"date": "2020-01-31", "asset": list("ABCDE"),
    ...                      "lev": [1.0, 2, 3, 4, 5]})
    >>> factor_holdings(Panel(rows, freq="M"), "lev", method="rank").weights.round(4).tolist()
    [-0.6667, -0.3333, 0.3333, 0.6667]
    """
    panel = as_panel(panel)
    plan = _plan(panel, by, method, long, weighting, breakpoints, rebalance, name, where)
    return planned_holdings(plan, panel, hold=hold, legs=legs)


def _plan(
    panel: Panel,
    by: str,
    method: Method,
    long: Side,
    weighting: Weighting | None,
    breakpoints: Breakpoints,
    rebalance: Rebalance,
    name: str | None,
    where: Screen | Breakpoints,
) -> Plan:
    """Return the legs of a factor on one characteristic."""
    require_columns(panel.columns, [by], "A factor")
    name = by if name is None else name
    found = Violations("A factor")
    known = isinstance(method, (TwoByThree, Quantile)) or method in _METHODS
    found.require(known, f"method is one of {', '.join(_METHODS)}", first=repr(method))
    found.require(long in ("high", "low"), "long is 'high' or 'low'", first=repr(long))
    found.require(not isinstance(weighting, Soft), "A factor takes no Soft weights")
    found.raise_if_any(ConfigError)
    if method in ("rank", "signal"):
        return _weighted(panel, by, str(method), long, weighting, rebalance, name, where)
    weighting = "value" if weighting is None else weighting
    if method == "quantile" or isinstance(method, Quantile):
        n = method.n if isinstance(method, Quantile) else 5
        strata = quantile_sort(
            panel, by, n=n, breakpoints=breakpoints, rebalance=rebalance, where=where
        )
        labels = labels_in(strata, panel)
        low, high = (1, 0) if long == "high" else (0, 1)
        leg_of: tuple[int, ...] = (low, *[-1] * (strata.n - 2), high)
        words = "quantile spread"
    else:
        shape = method if isinstance(method, TwoByThree) else TwoByThree()
        quantiles: tuple[Quantiles, Quantiles] = (2, shape.percentiles)
        strata = joint_sort(
            panel,
            (shape.size, by),
            n=quantiles,
            breakpoints=breakpoints,
            rebalance=rebalance,
            where=where,
        )
        labels = labels_in(strata, panel)
        low, high = (1, 0) if long == "high" else (0, 1)
        leg_of = (low, -1, high) * 2
        words = "2x3 factor"
    return Plan(
        labels=labels,
        weight=row_weights(panel, weighting),
        leg_of=leg_of,
        share=np.empty(0),
        name=name,
        source=f"{words}, long {long}, {describe(weighting)}-weighted: {strata.source}",
        notes=tuple(strata.notes),
    )


def _weighted(
    panel: Panel,
    by: str,
    method: str,
    long: Side,
    weighting: Weighting | None,
    rebalance: Rebalance,
    name: str,
    where: Screen | Breakpoints,
) -> Plan:
    """Return the factor whose weights are centred ranks or z-scores, fixed when formed."""
    kept, notes = screened_rows(panel, where)
    values = panel.values(by) if kept is None else np.where(kept, panel.values(by), np.nan)
    score = centred(values, panel.offsets, method) * (1.0 if long == "high" else -1.0)
    dates = formation_dates(panel.dates, rebalance)
    formed = np.zeros(len(panel.dates), dtype=bool)
    formed[dates] = True
    present = np.bincount(panel.date_codes[~np.isnan(values)], minlength=formed.size)
    chosen = formed & (present >= LEAST_ASSETS)
    keep = np.flatnonzero(chosen[panel.date_codes] & (score != 0.0) & (score == score))
    if not keep.size:
        raise InputDataError(
            f"On no formation date do {LEAST_ASSETS} assets have {by!r} and differ in it."
        )
    position = np.cumsum(chosen) - 1
    counts = np.bincount(position[panel.date_codes[keep]], minlength=int(chosen.sum()))
    labels = Labels(
        panel.dates[chosen],
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        panel.asset_codes[keep],
        np.where(score[keep] > 0.0, 1, 2).astype(np.int32),
        2,
    )
    thin = formed & ~chosen & (np.diff(panel.offsets) > 0)
    if thin.any():
        rule = f"dates with fewer than {LEAST_ASSETS} assets that have {by}"
        first = f"date={panel.dates[int(thin.argmax())].date()}"
        notes.append(Note(rule, int(thin.sum()), len(dates), first, "skipped", "portfolio"))
    absent = int((np.isnan(values) & chosen[panel.date_codes]).sum())
    if absent:
        rule = f"assets on formation dates without {by}"
        of = int(chosen[panel.date_codes].sum())
        notes.append(Note(rule, absent, of, "", "not weighted", "portfolio"))
    base = "equal" if weighting is None else weighting
    times = "" if weighting is None else f" x {describe(weighting)}"
    return Plan(
        labels=labels,
        weight=row_weights(panel, base),
        leg_of=(0, 1),
        share=np.abs(score[keep]),
        name=name,
        source=f"{method}-weighted{times} factor on {by}, long {long}",
        notes=tuple(notes),
    )


def centred(values: Float64, offsets: npt.NDArray[np.int64], method: str) -> Float64:
    """Return ranks minus their mean, or z-scores, by date.

    Parameters
    ----------
    values, offsets
        Rows by date, float64 of shape (n,), and bounds of dates.
    method
        "rank" or "signal".

    Examples
    --------
    >>> centred(np.array([5.0, 1.0, 7.0]), np.array([0, 3]), "rank").tolist()
    [0.0, -1.0, 1.0]
    """
    if method == "signal":
        return bydate.standardize(values, offsets)
    ranks = bydate.rank(values, offsets)
    there = np.concatenate(([0], np.cumsum(values == values)))
    count = np.diff(there[offsets])
    return ranks - np.repeat((count + 1) / 2.0, np.diff(offsets))
