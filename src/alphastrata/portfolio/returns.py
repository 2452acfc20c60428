"""Strata -> portfolio returns: the rule by which a label meets a later return.

The rule, for the return of a period that ends at date d:

* the label is that of the last formation date strictly before d, and, unless the panel is daily,
  not after the panel date before d (`schedule.deadlines`);
* the weight is the weighting column at the asset's row on the last panel date strictly before d;
  an asset without a positive weight there is not held;
* a missing return of one asset never makes the portfolio's return missing: its weight goes to
  the others ("renormalise"), or it counts as zero ("zero"). Either way it is counted.

`pairing` is the only module that carries it out.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations, is_whole, require_columns
from alphastrata.core.factors import FactorReturns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.carrying import Labels, labels_in
from alphastrata.portfolio.pairing import Earned, compound_later, earn
from alphastrata.portfolio.schedule import Hold, check_hold, schedules
from alphastrata.portfolio.weights import (
    Soft,
    Weighting,
    check_weighting,
    describe,
    memberships,
    row_weights,
)

Missing = Literal["renormalise", "zero"]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_STAGE = "portfolio"
_NO_SHARE = np.empty(0)


def portfolio_returns(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    weighting: Weighting = "equal",
    hold: Hold = None,
    missing: Missing = "renormalise",
    ret: str = "ret",
    risk_free: pd.Series | None = None,
) -> FactorReturns:
    """Return what each stratum earned after its labels were formed, in decimals per period.

    Parameters
    ----------
    strata
        Labels by formation date, from a sort, a clusterer, or a user.
    panel
        The market, at any frequency: returns, and the column that weighs.
    weighting
        "equal", "value" (``market_cap``), a column name, `Capped`, `Ranked` or `Soft`.
    hold
        How long labels live. None: until the next formation date, but no longer than the longest
        gap between formation dates so far. A number: at most so many periods of the panel.
        `Overlapping`: the mean of that many cohorts.
    missing
        "renormalise": an asset without a return leaves its weight to the others;
        "zero": it counts as a return of zero.
    ret
        Column of returns over the period that ends at the row's date.
    risk_free
        Rate per period by date, kept beside the returns so that they know their excess returns.

    Returns
    -------
    FactorReturns
        ``kind="total"``, one column per stratum, named by ``strata.names``; dates on which labels
        are in force. ``counts`` holds the number of assets that entered each return.

    Raises
    ------
    ConfigError
        For an unknown weighting, hold or missing policy.
    InputDataError
        For columns that the panel lacks, or strata that do not fit it.

    Notes
    -----
    Sums are compensated, so that neither the order nor the names of assets change a bit. Cutting
    or corrupting everything after t leaves the returns up to t as they are, bit by bit.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({
    ...     "date": ["2020-01-31"] * 2 + ["2020-02-29"] * 2, "asset": ["A", "B"] * 2,
    ...     "ret": [0.0, 0.0, 0.10, 0.02], "market_cap": [3.0, 1.0, 3.3, 1.0],
    ... })
    >>> strata = Strata(pd.DataFrame({"A": [1], "B": [1]}, index=pd.to_datetime(["2020-01-31"])),
    ...                 ordered=True)
    >>> portfolio_returns(strata, Panel(rows), weighting="value").frame["1"].round(4).tolist()
    [0.08]
    """
    panel = as_panel(panel)
    check_rules(panel, weighting, hold, missing, ret)
    labels = labels_in(strata, panel)
    weight = row_weights(panel, weighting)
    if isinstance(weighting, Soft):
        parts, rows = _earned_softly(strata, labels, panel, weight, hold, ret)
    else:
        parts, rows = earned_by_cohort(labels, panel, weight, hold=hold, ret=ret)
    names = pd.Index(list(strata.names.values()), name="portfolio")
    dates = panel.dates[rows]
    means = np.stack([mean_returns(part, missing)[rows] for part in parts])
    counts = np.sum([(part.held - part.missing)[rows] for part in parts], axis=0)
    return FactorReturns(
        pd.DataFrame(mean_of_cohorts(means), index=dates, columns=names),
        kind="total",
        freq=panel.freq,
        risk_free=risk_free,
        counts=pd.DataFrame(counts, index=dates, columns=names),
        source=f"{describe(weighting)}-weighted returns of: {strata.source or 'strata'}",
        notes=[*strata.notes, *pairing_notes(parts, rows, panel, missing)],
    )


def earned_by_cohort(
    labels: Labels,
    panel: Panel,
    weight: Float64,
    *,
    hold: Hold = None,
    ret: str = "ret",
    share: Float64 = _NO_SHARE,
) -> tuple[list[Earned], npt.NDArray[np.intp]]:
    """Return what the strata of each cohort earned, and the dates on which all are in force.

    Parameters
    ----------
    labels
        Labels with assets coded as in the panel.
    panel
        The market.
    weight
        Weight of each row as known at its date, float64 of shape (n_rows,).
    hold, ret
        As for `portfolio_returns`.
    share
        Multiplies the weight of each label's asset, shape (n_labels,); empty for 1.

    Returns
    -------
    tuple
        One `Earned` per cohort (arrays over all dates of the panel), and positions of dates.

    Raises
    ------
    InputDataError
        When no date has labels in force.
    """
    in_force = schedules(labels.dates, panel, hold)
    rows = np.flatnonzero((in_force >= 0).all(axis=0))
    if not rows.size:
        formed, ends = labels.dates, panel.dates
        if len(in_force) == 1:
            raise InputDataError(
                f"No return follows the labels in time: they are formed from {formed[0].date()} to "
                f"{formed[-1].date()}, and the panel runs from {ends[0].date()} to "
                f"{ends[-1].date()}. Bring later returns, or labels of these dates."
            )
        raise InputDataError(
            f"No date has {len(in_force)} cohorts of labels in force; there are {len(formed)} "
            "formation dates. Lower the number of cohorts or form strata more often."
        )
    common = (panel.offsets, panel.asset_codes, panel.values(ret), weight)
    parts = []
    for schedule in in_force:
        found = earn(
            *common,
            schedule,
            labels.offsets,
            labels.assets,
            labels.codes,
            share,
            len(panel.assets),
            labels.n,
        )
        parts.append(Earned(*found))
    return parts, rows


def mean_returns(earned: Earned, missing: Missing = "renormalise") -> Float64:
    """Return the mean return by date and stratum, missing where no asset has a return.

    With "zero", a stratum whose assets all lack a return earns zero, but not on a date on which
    no stratum has a return: that date is missing.
    """
    some = earned.held > earned.missing
    divisor = earned.weight
    if missing == "zero":
        some = (earned.held > 0) & some.any(axis=1, keepdims=True)
        divisor = earned.planned
    out = np.full(divisor.shape, np.nan)
    np.divide(earned.gain, divisor, out=out, where=some)
    return out


def mean_of_cohorts(means: Float64) -> Float64:
    """Return the mean over cohorts, shape (n_dates, K), of those that have a return."""
    if len(means) == 1:
        return means[0]
    there = ~np.isnan(means)
    count = there.sum(axis=0)
    total = np.where(there, means, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def later_returns(panel: Panel, horizon: int, *, ret: str = "ret") -> Float64:
    """Return each row's compounded return over the next ``horizon`` dates of the panel.

    Parameters
    ----------
    panel
        The market.
    horizon
        Number of dates, at least 1.
    ret
        Column of returns.

    Returns
    -------
    numpy.ndarray
        float64, shape (n_rows,): from the date after the row's own on. Missing where the asset
        has no return on the next date, or the panel ends before the horizon does; a return that
        is missing later (after an exit, say) counts as zero.

    Raises
    ------
    ConfigError
        For a horizon below 1.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31", "2020-02-29", "2020-03-31"],
    ...                             "asset": "A", "ret": [0.0, 0.1, 0.2]}))
    >>> later_returns(panel, 2).round(4).tolist()
    [0.32, nan, nan]
    """
    if not (is_whole(horizon) and horizon >= 1):
        raise ConfigError(f"A horizon is a whole number of periods, at least 1; got {horizon!r}.")
    require_columns(panel.columns, [ret], "later_returns")
    return compound_later(
        panel.asset_order(),
        panel.asset_offsets(),
        panel.date_codes,
        panel.values(ret),
        horizon,
        len(panel.dates),
    )


def _earned_softly(
    strata: Strata, labels: Labels, panel: Panel, weight: Float64, hold: Hold, ret: str
) -> tuple[list[Earned], npt.NDArray[np.intp]]:
    """Return what strata earned when every asset is in each by its membership probability."""
    everyone = replace(labels, codes=np.ones_like(labels.codes), n=1)
    columns = [
        earned_by_cohort(everyone, panel, weight, hold=hold, ret=ret, share=share)
        for share in memberships(strata)
    ]
    parts = [
        Earned(*(np.hstack(fields) for fields in zip(*same, strict=True)))
        for same in zip(*(found for found, _ in columns), strict=True)
    ]
    return parts, columns[0][1]


def check_rules(
    panel: Panel, weighting: Weighting, hold: Hold, missing: str, ret: str | None
) -> None:
    """Raise where a weighting, holding period or missing policy is unknown, or returns lack."""
    found = Violations("Portfolio returns")
    check_weighting(weighting, found)
    check_hold(hold, found)
    found.require(
        missing in get_args(Missing),
        f"missing is one of {', '.join(get_args(Missing))}",
        first=repr(missing),
    )
    found.raise_if_any(ConfigError)
    if ret is not None:
        require_columns(panel.columns, [ret], "Portfolio returns")


def pairing_notes(
    parts: list[Earned], rows: npt.NDArray[np.intp], panel: Panel, missing: Missing
) -> list[Note]:
    """Return notes on what could not be held, or was held without a return."""
    held = int(sum(part.held[rows].sum() for part in parts))
    done = "left to the others by weight" if missing == "renormalise" else "counted as zero"
    rules = (
        ("held assets without a return", "missing", held, done),
        (
            "labelled assets without a positive weight before the return",
            "unweighted",
            0,
            "left out",
        ),
    )
    notes = []
    for rule, field, of, action in rules:
        by_date = np.sum([getattr(part, field)[rows].sum(axis=1) for part in parts], axis=0)
        if by_date.any():
            first = f"date={panel.dates[rows[int(np.argmax(by_date > 0))]].date()}"
            notes.append(Note(rule, int(by_date.sum()), of, first, action, _STAGE))
    empty = np.sum([(p.held[rows] == p.missing[rows]).sum(axis=1) for p in parts], axis=0)
    if empty.any():
        first = f"date={panel.dates[rows[int(np.argmax(empty > 0))]].date()}"
        rule = "portfolio-periods in which no asset has a return"
        total = rows.size * parts[0].held.shape[1] * len(parts)
        notes.append(Note(rule, int(empty.sum()), total, first, "left missing", _STAGE))
    return notes
