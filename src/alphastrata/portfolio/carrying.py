"""Labels carried forward to every row of a panel: what was known at the end of its date."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit

from alphastrata.core.checks import Violations, require_columns
from alphastrata.core.panel import Panel
from alphastrata.core.strata import Strata
from alphastrata.portfolio.schedule import Hold, following, in_force

Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Labels:
    """Labels by formation date, with assets coded as in a panel (-1 where it lacks the asset).

    Attributes
    ----------
    dates
        Formation dates, ascending.
    offsets
        Bounds of each formation date, shape (n_dates + 1,).
    assets, codes
        Asset code in the panel and label (0 for none) of each entry, shape (n_labels,).
    n
        How many strata there are.
    """

    dates: pd.DatetimeIndex
    offsets: Int64
    assets: Int64
    codes: Int32
    n: int


def labels_in(strata: Strata, panel: Panel) -> Labels:
    """Return the strata's labels with assets coded as in the panel.

    Raises
    ------
    InputDataError
        When strata and panel share no asset, or no formation date lies before the panel's end.
    """
    assets = strata.codes_in(panel.assets)
    found = Violations("Strata and panel")
    if assets.max() < 0:
        found.add(
            "Strata and panel share assets",
            first=f"{strata.assets[0]!r} in the strata, {panel.assets[0]!r} in the panel",
            remedy="Give both the same asset identifiers",
        )
    found.require(
        strata.dates[0] <= panel.dates[-1],
        "Some date of the panel follows a formation date",
        first=f"first formation {strata.dates[0].date()}, last date {panel.dates[-1].date()}",
        remedy="Returns are earned after labels are formed: extend the panel",
    )
    found.raise_if_any()
    return Labels(strata.dates, strata.offsets, assets, strata.codes, strata.n)


@njit(cache=True, nogil=True)  # type: ignore[misc,unused-ignore]
def _carry(
    offsets: Int64,
    assets: Int64,
    in_force: Int64,
    label_offsets: Int64,
    label_assets: Int64,
    n_assets: int,
) -> Int64:
    out = np.full(assets.size, -1, dtype=np.int64)
    entry_of = np.full(n_assets, -1, dtype=np.int64)
    formed = -1
    for t in range(offsets.size - 1):
        if in_force[t] < 0:
            continue
        if in_force[t] != formed:
            formed = in_force[t]
            for i in range(label_offsets[formed], label_offsets[formed + 1]):
                if label_assets[i] >= 0:
                    entry_of[label_assets[i]] = i
        first = label_offsets[formed]
        for row in range(offsets[t], offsets[t + 1]):
            if entry_of[assets[row]] >= first:
                out[row] = entry_of[assets[row]]
    return out


def carried_entries(labels: Labels, panel: Panel, hold: Hold = None) -> Int64:
    """Return the entry in ``labels`` in force after each row's date, -1 for none.

    Parameters
    ----------
    labels
        Labels with assets coded as in the panel.
    panel
        The market.
    hold
        As for `portfolio_returns`.

    Returns
    -------
    numpy.ndarray
        int64, shape (n_cohorts, n_rows). The label that will earn the *next* date's return, or
        would earn the one after the panel's last date.
    """
    return np.stack([_carried(labels, panel, row) for row in following(labels.dates, panel, hold)])


def known_entries(labels: Labels, panel: Panel) -> Int64:
    """Return, for each row, the latest entry formed by the end of the row's date, -1 for none."""
    ended = pd.DatetimeIndex(panel.dates + pd.Timedelta(1, "ns"))
    return _carried(labels, panel, in_force(labels.dates, panel.dates, ended))


def _carried(labels: Labels, panel: Panel, schedule: Int64) -> Int64:
    return _carry(
        panel.offsets,
        panel.asset_codes,
        schedule,
        labels.offsets,
        labels.assets,
        len(panel.assets),
    )


def carried_labels(labels: Labels, panel: Panel) -> Int64:
    """Return the label of each row in force after its date, 0 for none; see `carried_entries`."""
    entries = carried_entries(labels, panel)[0]
    return np.where(entries >= 0, labels.codes[entries], 0)


def groups_known(panel: Panel, within: Strata | str) -> Int64:
    """Return each row's group as known at its date, from 1, or 0 for none.

    Parameters
    ----------
    panel
        The market.
    within
        Strata (the latest labels formed by the date), or a categorical column.
    """
    if isinstance(within, str):
        require_columns(panel.columns, [within], "Groups")
        return panel.categorical(within).codes.astype(np.int64) + 1
    labels = labels_in(within, panel)
    entries = known_entries(labels, panel)
    return np.where(entries >= 0, labels.codes[entries], 0)
