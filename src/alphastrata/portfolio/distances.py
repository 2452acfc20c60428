"""How far an asset lies from the centre of its stratum: a signal like any other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core import bydate
from alphastrata.core.checks import require_columns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio.carrying import Labels, known_entries, labels_in
from alphastrata.portfolio.characteristic import centred

Float64 = npt.NDArray[np.float64]


def centroid_distances(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    features: Sequence[str],
    *,
    name: str = "distance",
) -> Panel:
    """Return the panel with each row's distance from the centroid of its stratum.

    Features are ranked by date, at mean 0 and standard deviation 1. The centroid of a stratum is
    the mean of its members on its formation date; a row's distance is the root of the mean
    squared difference, over the features that it has, from the centroid of the latest label known
    at its date. Nothing later than the row's date enters.

    Parameters
    ----------
    strata
        Clusters, say.
    panel
        Holds the features.
    features
        Columns in which distance is measured, usually those that were clustered.
    name
        Column of the result, in standard deviations per feature.

    Returns
    -------
    Panel
        With the column ``name``; missing for assets without a label or without any feature.

    Raises
    ------
    ConfigError
        Without features.
    InputDataError
        For columns that the panel lacks, or strata that do not fit it.

    Examples
    --------
    >>> rows = pd.DataFrame({"date": ["2020-01-31"] * 3, "asset": list("ABC"), "lev": [1.0, 2, 3]})
    >>> one = Strata(pd.DataFrame([[1, 1, 1]], pd.to_datetime(["2020-01-31"]), list("ABC")),
    ...              ordered=False)
    >>> centroid_distances(one, Panel(rows, freq="M"), ["lev"]).values("distance").round(2).tolist()
    [1.22, 0.0, 1.22]
    """
    panel = as_panel(panel)
    names = list(features)
    if not names:
        raise ConfigError("centroid_distances takes at least one feature.")
    require_columns(panel.columns, names, "centroid_distances")
    labels = labels_in(strata, panel)
    entry = known_entries(labels, panel)
    # A label whose number is 0 is none; both lie outside.
    inside = np.flatnonzero((entry >= 0) & (labels.codes[entry] > 0))
    formed = np.searchsorted(labels.offsets, entry[inside], side="right") - 1
    stratum = labels.codes[entry[inside]] - 1
    squares, known = np.zeros(inside.size), np.zeros(inside.size)
    for column in names:
        # Centred ranks are whole halves, so that their sums are exact in any order of assets.
        ranks = centred(panel.values(column), panel.offsets, "rank")
        spread = _spread(panel, ranks)
        centres = _centroids(labels, panel, ranks, spread)
        gap = (ranks / spread[panel.date_codes])[inside] - centres[formed, stratum]
        there = gap == gap
        squares += np.where(there, gap**2, 0.0)
        known += there
    out = np.full(len(panel), np.nan)
    mean = np.full(inside.size, np.nan)
    np.divide(squares, known, out=mean, where=known > 0.0)
    out[inside] = np.sqrt(mean)
    return panel.assign({name: out})


def _spread(panel: Panel, centred_ranks: Float64) -> Float64:
    """Return the standard deviation of centred ranks by date, missing where all are equal."""
    known = centred_ranks == centred_ranks
    codes, size = panel.date_codes[known], len(panel.dates)
    squares = np.bincount(codes, weights=centred_ranks[known] ** 2, minlength=size)
    variance = squares / np.maximum(np.bincount(codes, minlength=size), 1)
    return np.sqrt(np.where(variance > 0.0, variance, np.nan))


def _centroids(labels: Labels, panel: Panel, ranks: Float64, spread: Float64) -> Float64:
    """Return the mean of each stratum's members on its formation date, shape (n_dates, K)."""
    last = np.searchsorted(panel.dates.to_numpy(), labels.dates.to_numpy(), side="right") - 1
    wanted = np.repeat(last, np.diff(labels.offsets)).astype(np.int64)
    rows = panel.lookup(wanted, labels.assets)
    members = np.where(rows >= 0, ranks[rows], np.nan)
    ones = np.ones(members.size)
    mean = bydate.weighted_mean(members, ones, labels.codes, labels.offsets, labels.n).mean
    return mean / np.where(last >= 0, spread[last], np.nan)[:, None]
