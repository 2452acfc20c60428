"""Long-short of clusters in which every asset is a member to some degree: returns and weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.factors import FactorReturns, Holdings
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.portfolio.carrying import Labels, labels_in
from alphastrata.portfolio.returns import (
    Missing,
    check_rules,
    earned_by_cohort,
    mean_of_cohorts,
    mean_returns,
    pairing_notes,
)
from alphastrata.portfolio.schedule import Hold, schedules
from alphastrata.portfolio.sides import RankBy, Side, leg_labels
from alphastrata.portfolio.targets import (
    Sides,
    as_holdings,
    check_sides,
    on_whole_dates,
    target_weights,
)
from alphastrata.portfolio.trading import two_sided_turnover
from alphastrata.portfolio.weights import Soft, memberships, row_weights

Float64 = npt.NDArray[np.float64]


def soft_long_short(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    rank_by: RankBy,
    long: Side = "high",
    weighting: Soft | None = None,
    hold: Hold = None,
    missing: Missing = "renormalise",
    name: str = "long_short",
) -> FactorReturns:
    """Return the highest stratum minus the lowest, weighted by membership probabilities.

    Strata are ranked by their labelled members, as in `long_short`; then every asset is in the
    long leg in proportion to its probability of the one stratum, and in the short leg in
    proportion to that of the other.

    Parameters
    ----------
    strata
        With ``probabilities``.
    panel
        The market.
    rank_by, long, hold, missing, name
        As for `long_short`.
    weighting
        `Soft`: its base multiplies the probabilities; equal when None.

    Returns
    -------
    FactorReturns
        ``kind="zero_cost"``, one column, with one-sided turnover (legs are not netted) and counts
        beside it.

    Raises
    ------
    ConfigError
        For unordered strata without ``rank_by``.
    InputDataError
        For strata without probabilities, or columns that the panel lacks.

    Examples
    --------
    >>> rows = pd.DataFrame({
    ...     "date": ["2020-01-31"] * 2 + ["2020-02-29"] * 2, "asset": ["A", "B"] * 2,
    ...     "ret": [0.0, 0.0, 0.10, 0.02], "lev": [0.9, 0.1] * 2,
    ... })
    >>> key = pd.MultiIndex.from_product([pd.to_datetime(["2020-01-31"]), ["A", "B"]])
    >>> chances = pd.DataFrame([[0.75, 0.25], [0.25, 0.75]], key, [1, 2])
    >>> clusters = Strata(pd.Series([1, 2], key), ordered=False, probabilities=chances)
    >>> soft_long_short(clusters, Panel(rows), rank_by="lev").frame["long_short"].round(4).tolist()
    [0.04]
    """
    panel = as_panel(panel)
    soft = Soft() if weighting is None else weighting
    check_rules(panel, soft, hold, missing, "ret")
    everyone, shares, notes = _sides(strata, panel, soft, rank_by, long)
    weight = row_weights(panel, soft)
    found = [earned_by_cohort(everyone, panel, weight, hold=hold, share=share) for share in shares]
    rows = found[0][1]
    dates = panel.dates[rows]
    earned = [
        mean_of_cohorts(np.stack([mean_returns(part, missing)[rows] for part in parts]))[:, 0]
        for parts, _ in found
    ]
    traded = sum(_traded(everyone, panel, weight, share, hold) for share in shares)
    counts = {
        f"{name} {word}": np.sum([(p.held - p.missing)[rows, 0] for p in parts], axis=0)
        for (parts, _), word in zip(found, ("long", "short"), strict=True)
    }
    return FactorReturns(
        pd.DataFrame({name: earned[0] - earned[1]}, index=dates),
        kind="zero_cost",
        freq=panel.freq,
        turnover=pd.DataFrame({name: 0.5 * np.asarray(traded)[rows]}, index=dates),
        counts=pd.DataFrame(counts, index=dates),
        source=(
            f"{long} minus {'low' if long == 'high' else 'high'} of: {strata.source or 'strata'}, "
            f"ranked by {rank_by}, weighted by membership x {soft.base}"
        ),
        notes=[*notes, *pairing_notes(found[0][0], rows, panel, missing)],
    )


def soft_holdings(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    rank_by: RankBy,
    long: Side = "high",
    weighting: Soft | None = None,
    hold: Hold = None,
    legs: Sides = "long_short",
    name: str = "long_short",
) -> Holdings:
    """Return the weights of `soft_long_short` on its formation dates.

    Parameters
    ----------
    strata, panel, rank_by, long, weighting, hold, name
        As for `soft_long_short`.
    legs
        "long_short", netted, since every asset is in both legs; or "long", the long leg alone.

    Raises
    ------
    ConfigError, InputDataError
        As for `soft_long_short`.

    Examples
    --------
    >>> rows = pd.DataFrame({"date": "2020-01-31", "asset": ["A", "B"], "lev": [0.9, 0.1]})
    >>> key = pd.MultiIndex.from_product([pd.to_datetime(["2020-01-31"]), ["A", "B"]])
    >>> chances = pd.DataFrame([[0.75, 0.25], [0.25, 0.75]], key, [1, 2])
    >>> clusters = Strata(pd.Series([1, 2], key), ordered=False, probabilities=chances)
    >>> soft_holdings(clusters, Panel(rows, freq="M"), rank_by="lev").weights.tolist()
    [0.5, -0.5]
    """
    panel = as_panel(panel)
    soft = Soft() if weighting is None else weighting
    check_rules(panel, soft, hold, "renormalise", None)
    check_sides(legs)
    everyone, shares, notes = _sides(strata, panel, soft, rank_by, long)
    weight = row_weights(panel, soft)
    own, other = (
        target_weights(everyone, panel, weight, hold, share=share, formation_only=True)
        for share in shares
    )
    if legs == "long":
        return as_holdings(own.assign(portfolio=name), panel, "long_only", notes)
    both = pd.concat([own, other.assign(stratum=2, weight=-other["weight"])])
    both, more = on_whole_dates(both.assign(portfolio=name), 2, panel)
    return as_holdings(both, panel, "netted", [*notes, *more])


def _sides(
    strata: Strata, panel: Panel, soft: Soft, rank_by: RankBy, long: Side
) -> tuple[Labels, list[Float64], list[Note]]:
    """Return every label as one stratum, its share of the long and of the short leg, and notes."""
    chances = memberships(strata)
    labels = labels_in(strata, panel)
    legs, notes = leg_labels(strata, panel, rank_by=rank_by, long=long, weighting=soft.base)
    everyone = replace(labels, codes=np.ones_like(labels.codes), n=1)
    shares = [_share(labels, legs, chances, side) for side in (1, 2)]
    return everyone, shares, [*strata.notes, *notes]


def _share(labels: Labels, legs: Labels, chances: Float64, side: int) -> Float64:
    """Return each entry's probability of the stratum that is on one side on its date."""
    date = np.repeat(np.arange(len(labels.dates)), np.diff(labels.offsets))
    chosen = np.zeros(len(labels.dates), dtype=np.int64)
    mine = legs.codes == side
    # All entries of a leg have one label on a date.
    chosen[date[mine]] = labels.codes[mine]
    stratum = chosen[date]
    share = chances[np.maximum(stratum, 1) - 1, np.arange(stratum.size)]
    return np.where(stratum > 0, share, 0.0)


def _traded(labels: Labels, panel: Panel, weight: Float64, share: Float64, hold: Hold) -> Float64:
    """Return the sum of |traded weight| of one leg by date."""
    traded: Float64 = two_sided_turnover(
        panel.offsets,
        panel.asset_codes,
        panel.values("ret"),
        weight,
        schedules(labels.dates, panel, hold),
        labels.offsets,
        labels.assets,
        labels.codes,
        share,
        np.zeros(1, dtype=np.int64),
        np.ones(1),
        len(panel.assets),
    )[:, 0]
    return traded
