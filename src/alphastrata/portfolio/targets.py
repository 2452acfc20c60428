"""What portfolios hold: the weight of each asset in each stratum, by date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.factors import Holdings
from alphastrata.core.panel import Panel
from alphastrata.core.strata import Strata
from alphastrata.core.sums import sums_by_cell
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.carrying import Labels, carried_entries, labels_in
from alphastrata.portfolio.schedule import Hold, following
from alphastrata.portfolio.weights import Soft, Weighting, memberships, row_weights

Float64 = npt.NDArray[np.float64]
# Which legs of a long-short factor are held.
Sides = Literal["long_short", "long"]

NO_SHARE = np.empty(0)


def check_sides(legs: str) -> None:
    """Raise for legs that are neither both nor the long one."""
    if legs not in get_args(Sides):
        raise ConfigError(f"legs is one of {', '.join(get_args(Sides))}; got {legs!r}.")


def target_weights(
    labels: Labels,
    panel: Panel,
    weight: Float64,
    hold: Hold,
    *,
    share: Float64 = NO_SHARE,
    formation_only: bool,
) -> pd.DataFrame:
    """Return date code, asset code, stratum and weight (summing to 1 by date and stratum).

    Parameters
    ----------
    labels, panel, weight, hold, share
        As for `returns.earned_by_cohort`.
    formation_only
        Dates on which new labels come into force, or all on which labels are.
    """
    entries = carried_entries(labels, panel, hold)
    complete = np.ones(len(panel.dates), dtype=bool)
    for one in entries:
        present = np.bincount(panel.date_codes[one >= 0], minlength=len(panel.dates)) > 0
        complete &= present
    if formation_only:
        complete &= _changes(labels, panel)
    parts = []
    for one in entries:
        code = np.where(one >= 0, labels.codes[one], 0)
        size = weight * share[one] if share.size else weight
        rows = np.flatnonzero((code > 0) & (size > 0.0) & complete[panel.date_codes])
        cell = panel.date_codes[rows] * labels.n + code[rows] - 1
        total = sums_by_cell(cell, size[rows], len(panel.dates) * labels.n)
        parts.append(
            pd.DataFrame(
                {
                    "date": panel.date_codes[rows],
                    "asset": panel.asset_codes[rows],
                    "stratum": code[rows],
                    "weight": size[rows] / total[cell],
                }
            )
        )
    if len(parts) == 1:
        return parts[0]
    keys = ["date", "asset", "stratum"]
    table = pd.concat(parts).groupby(keys)["weight"].sum().reset_index()
    cell = table["date"].to_numpy() * labels.n + table["stratum"].to_numpy() - 1
    weights = table["weight"].to_numpy()
    table["weight"] = weights / sums_by_cell(cell, weights, len(panel.dates) * labels.n)[cell]
    return table


def weights_of_strata(
    strata: Strata, panel: Panel, weighting: Weighting, hold: Hold, *, formation_only: bool
) -> pd.DataFrame:
    """Return `target_weights` of every stratum; with `Soft` every asset is in each by membership.

    Parameters
    ----------
    strata, panel, weighting, hold
        As for `portfolio_returns`.
    formation_only
        As for `target_weights`.
    """
    labels = labels_in(strata, panel)
    weight = row_weights(panel, weighting)
    if not isinstance(weighting, Soft):
        return target_weights(labels, panel, weight, hold, formation_only=formation_only)
    everyone = replace(labels, codes=np.ones_like(labels.codes), n=1)
    parts = [
        target_weights(everyone, panel, weight, hold, share=share, formation_only=formation_only)
        for share in memberships(strata)
    ]
    return pd.concat([part.assign(stratum=k) for k, part in enumerate(parts, 1)])


def _changes(labels: Labels, panel: Panel) -> npt.NDArray[np.bool_]:
    """Return the panel's dates at whose end a new formation date comes into force."""
    latest = following(labels.dates, panel, None)[0]
    return np.diff(latest, prepend=-1) > 0


def on_whole_dates(
    table: pd.DataFrame, strata: int, panel: Panel
) -> tuple[pd.DataFrame, list[Note]]:
    """Return the rows of dates on which all strata of the legs hold an asset, and a note.

    Parameters
    ----------
    table
        As `target_weights` gives it.
    strata
        How many the legs have.
    panel
        Whose codes these are.
    """
    whole = table.groupby("date")["stratum"].transform("nunique") == strata
    lame = table.loc[~whole, "date"].unique()
    if not len(lame):
        return table, []
    first = f"date={panel.dates[int(lame.min())].date()}"
    rule = "dates on which a leg holds no asset"
    return table[whole], [Note(rule, len(lame), 0, first, "left out", "portfolio")]


def as_holdings(
    table: pd.DataFrame,
    panel: Panel,
    legs: Literal["long_short", "long_only", "netted"],
    notes: Sequence[Note],
) -> Holdings:
    """Return holdings of a table of date code, asset code, portfolio and signed weight.

    Parameters
    ----------
    table
        Of netted legs an asset may have several rows on a date; they add up.
    panel
        Whose codes these are.
    legs, notes
        As for `Holdings`.

    Raises
    ------
    InputDataError
        For a table without rows.
    """
    if not len(table):
        raise InputDataError("No date has holdings: no label meets a positive weight.")
    if table.duplicated(["date", "asset", "portfolio"]).any():
        table = table.groupby(["date", "asset", "portfolio"])["weight"].sum().reset_index()
    index = pd.MultiIndex.from_arrays(
        [
            panel.dates[table["date"].to_numpy()],
            panel.assets[table["asset"].to_numpy()],
            table["portfolio"].to_numpy(),
        ],
        names=["date", "asset", "portfolio"],
    )
    return Holdings(pd.Series(table["weight"].to_numpy(), index=index), legs=legs, notes=notes)
