"""Strata -> factors: long one end, short the other; and the holdings behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.factors import FactorReturns, Holdings, Legs
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.carrying import Labels
from alphastrata.portfolio.returns import (
    Missing,
    check_rules,
    earned_by_cohort,
    mean_of_cohorts,
    mean_returns,
    pairing_notes,
)
from alphastrata.portfolio.schedule import Hold, Overlapping, schedules
from alphastrata.portfolio.sides import RankBy, Side, leg_labels
from alphastrata.portfolio.targets import (
    NO_SHARE,
    Sides,
    as_holdings,
    check_sides,
    on_whole_dates,
    target_weights,
    weights_of_strata,
)
from alphastrata.portfolio.trading import two_sided_turnover
from alphastrata.portfolio.weights import Soft, Weighting, describe, row_weights

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """What a long-short factor holds: labels, weights, and which strata are long and short.

    Attributes
    ----------
    labels
        Labels with assets coded as in the panel.
    weight
        Weight of each row of the panel as known at its date.
    leg_of
        For each stratum: 0 where it is long, 1 where it is short, -1 where it is neither. The
        strata of a leg have equal parts in it.
    share
        Multiplies the weight of each label's asset; empty for 1.
    name, source, notes
        Name of the factor, what made it, and what was dropped.
    """

    labels: Labels
    weight: Float64
    leg_of: tuple[int, ...]
    share: Float64
    name: str
    source: str
    notes: tuple[Note, ...]

    @property
    def legs(self) -> npt.NDArray[np.int64]:
        """``leg_of`` as an array."""
        return np.array(self.leg_of, dtype=np.int64)

    @property
    def parts(self) -> Float64:
        """Each stratum's part of its leg, 0 for neither."""
        legs = self.legs
        size = np.bincount(legs[legs >= 0], minlength=2)
        return np.where(legs >= 0, 1.0 / np.maximum(size[legs], 1), 0.0)


def long_short(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    rank_by: RankBy = None,
    long: Side = "high",
    weighting: Weighting = "value",
    name: str = "long_short",
    hold: Hold = None,
    missing: Missing = "renormalise",
) -> FactorReturns:
    """Return the factor that is long one end of the strata and short the other.

    Parameters
    ----------
    strata
        Ordered strata: top minus bottom. Unordered ones (clusters) need ``rank_by``.
    panel
        The market: returns, the column that weighs, and the characteristic of ``rank_by``.
    rank_by
        A characteristic, or `Trailing`: on each formation date strata are ranked by its weighted
        mean among their members, as known then; the highest is long, the lowest short.
    long
        "high" or "low": which end is long.
    weighting, hold, missing
        As for `portfolio_returns`.
    name
        Name of the factor.

    Returns
    -------
    FactorReturns
        ``kind="zero_cost"``, one column. Beside it ``turnover``, one-sided: half the sum of
        |traded weight| over both legs at the trade before the return (two-sided is twice that),
        against holdings that drifted with their returns; and ``counts`` by leg.

    Raises
    ------
    ConfigError
        For unordered strata without ``rank_by``, or an unknown setting.
    InputDataError
        For columns that the panel lacks, or strata that do not fit it.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "date": ["2020-01-31"] * 2 + ["2020-02-29"] * 2, "asset": ["A", "B"] * 2,
    ...     "ret": [0.0, 0.0, 0.10, 0.02], "market_cap": 1.0,
    ... })
    >>> halves = Strata(pd.DataFrame({"A": [2], "B": [1]}, index=pd.to_datetime(["2020-01-31"])),
    ...                 ordered=True)
    >>> long_short(halves, Panel(rows), name="HL").frame["HL"].round(4).tolist()
    [0.08]
    """
    panel = as_panel(panel)
    if isinstance(weighting, Soft):
        raise ConfigError(
            "A long-short factor takes hard labels; Soft weights are for portfolio_returns."
        )
    check_rules(panel, weighting, hold, missing, "ret")
    labels, notes = leg_labels(strata, panel, rank_by=rank_by, long=long, weighting=weighting)
    source = f"{long} minus {'low' if long == 'high' else 'high'} of: {strata.source or 'strata'}"
    ranked = f", ranked by {rank_by}" if rank_by is not None else ""
    plan = Plan(
        labels=labels,
        weight=row_weights(panel, weighting),
        leg_of=(0, 1),
        share=NO_SHARE,
        name=name,
        source=f"{source}{ranked}, {describe(weighting)}-weighted",
        notes=(*strata.notes, *notes),
    )
    return planned_returns(plan, panel, hold=hold, missing=missing)


def planned_returns(
    plan: Plan, panel: Panel, *, hold: Hold = None, missing: Missing = "renormalise"
) -> FactorReturns:
    """Return the mean of the long strata's returns minus the mean of the short strata's.

    Parameters
    ----------
    plan
        The legs.
    panel
        The market.
    hold, missing
        As for `long_short`.
    """
    labels, weight, share, name = plan.labels, plan.weight, plan.share, plan.name
    parts, rows = earned_by_cohort(labels, panel, weight, hold=hold, share=share)
    means = mean_of_cohorts(np.stack([mean_returns(part, missing)[rows] for part in parts]))
    leg = plan.legs
    long_return, short_return = (means[:, leg == side].mean(axis=1) for side in (0, 1))
    counts = np.sum([(part.held - part.missing)[rows] for part in parts], axis=0)
    by_leg = {
        f"{name} {word}": counts[:, leg == side].sum(axis=1)
        for side, word in ((0, "long"), (1, "short"))
    }
    traded = two_sided_turnover(
        panel.offsets,
        panel.asset_codes,
        panel.values("ret"),
        weight,
        schedules(labels.dates, panel, hold),
        labels.offsets,
        labels.assets,
        labels.codes,
        share,
        leg,
        plan.parts,
        len(panel.assets),
    )
    dates = panel.dates[rows]
    spread = long_return - short_return
    if np.isnan(spread).all():
        raise InputDataError(
            f"Both legs of {name!r} hold an asset with a return on some date; on none of "
            f"{len(dates)} dates do they. First: {dates[0].date()}. Ties in the characteristic, or "
            "breakpoints of other assets, can leave a leg empty: see the notes of the strata."
        )
    return FactorReturns(
        pd.DataFrame({name: spread}, index=dates),
        kind="zero_cost",
        freq=panel.freq,
        turnover=pd.DataFrame({name: 0.5 * traded.sum(axis=1)[rows]}, index=dates),
        counts=pd.DataFrame(by_leg, index=dates),
        source=plan.source,
        notes=[*plan.notes, *pairing_notes(parts, rows, panel, missing)],
    )


def holdings(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    weighting: Weighting = "value",
    legs: Sides | Literal["long_only"] = "long_short",
    rank_by: RankBy = None,
    long: Side = "high",
    hold: Hold = None,
    dates: Literal["formation", "all"] = "formation",
) -> Holdings:
    """Return the weights held from the end of each date on.

    Parameters
    ----------
    strata, panel, weighting, rank_by, long, hold
        As for `long_short`.
    legs
        "long_short": one portfolio of that name, +1 long and -1 short; "long": its long leg
        alone; "long_only": one portfolio for each stratum, named as the stratum.
    dates
        "formation": the panel's dates on which new labels come into force (between them holdings
        drift); "all": every date on which labels are in force. Labels that expire have no weights:
        an account drifts on with the last ones.

    Returns
    -------
    Holdings
        Weights known at the end of their date; dates of legs without an asset are left out and
        counted. Of `Overlapping` cohorts an asset may be long in one and short in another: then
        legs are netted.

    Raises
    ------
    ConfigError
        As for `long_short`; `Soft` weights are for "long_only", and for `soft_holdings`.
    InputDataError
        As for `long_short`.

    Examples
    --------
    >>> rows = pd.DataFrame({"date": ["2020-01-31"] * 2, "asset": ["A", "B"], "ret": 0.0,
    ...                      "market_cap": 1.0})
    >>> halves = Strata(pd.DataFrame({"A": [2], "B": [1]}, index=pd.to_datetime(["2020-01-31"])),
    ...                 ordered=True)
    >>> holdings(halves, Panel(rows, freq="M")).weights.tolist()
    [1.0, -1.0]
    """
    panel = as_panel(panel)
    check_rules(panel, weighting, hold, "renormalise", None)
    known = (*get_args(Sides), "long_only")
    if legs not in known or dates not in ("formation", "all"):
        raise ConfigError(
            f"holdings takes legs of {', '.join(known)} and dates='formation' or 'all'; "
            f"got legs={legs!r}, dates={dates!r}."
        )
    formation_only = dates == "formation"
    if legs == "long_only":
        table = weights_of_strata(strata, panel, weighting, hold, formation_only=formation_only)
        names = np.array(list(strata.names.values()))
        table["portfolio"] = names[table["stratum"].to_numpy() - 1]
        return as_holdings(table, panel, "long_only", strata.notes)
    if isinstance(weighting, Soft):
        raise ConfigError(
            "Long and short legs take hard labels; soft_holdings weighs them by membership."
        )
    weight = row_weights(panel, weighting)
    labels, more = leg_labels(strata, panel, rank_by=rank_by, long=long, weighting=weighting)
    plan = Plan(labels, weight, (0, 1), NO_SHARE, "long_short", "", (*strata.notes, *more))
    return planned_holdings(plan, panel, hold=hold, legs=legs, formation_only=formation_only)


def planned_holdings(
    plan: Plan,
    panel: Panel,
    *,
    hold: Hold = None,
    legs: Sides = "long_short",
    formation_only: bool = True,
) -> Holdings:
    """Return a plan's signed weights; dates on which a stratum of a leg is empty are left out.

    Parameters
    ----------
    plan
        The legs.
    panel
        The market.
    hold
        As for `long_short`; the legs of overlapping cohorts are netted.
    legs
        Both, or the long one alone.
    formation_only
        Dates on which new labels come into force, or all on which labels are.
    """
    check_sides(legs)
    table = target_weights(
        plan.labels, panel, plan.weight, hold, share=plan.share, formation_only=formation_only
    )
    stratum = table["stratum"].to_numpy() - 1
    leg = plan.legs[stratum]
    table["weight"] *= plan.parts[stratum] * np.where(leg == 1, -1.0, 1.0)
    table["portfolio"] = plan.name
    wanted = (0,) if legs == "long" else (0, 1)
    table = table[np.isin(leg, wanted)]
    table, more = on_whole_dates(table, int(np.isin(plan.legs, wanted).sum()), panel)
    notes = [*plan.notes, *more]
    if legs == "long":
        return as_holdings(table, panel, "long_only", notes)
    kind: Legs = "netted" if isinstance(hold, Overlapping) else "long_short"
    return as_holdings(table, panel, kind, notes)
