"""Characteristics made neutral to groups: ranks or distances inside industries or clusters."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core import bydate
from alphastrata.core.checks import require_columns
from alphastrata.core.factors import FactorReturns
from alphastrata.core.grouping import offsets_of, sort_by
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio.carrying import groups_known
from alphastrata.portfolio.returns import Missing, portfolio_returns
from alphastrata.portfolio.schedule import Hold
from alphastrata.portfolio.weights import Weighting

How = Literal["rank", "demean", "zscore"]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def neutral(
    panel: Panel | pd.DataFrame,
    columns: str | list[str],
    within: Strata | str,
    *,
    how: How = "rank",
) -> Panel:
    """Return the panel with columns replaced by their standing inside each group and date.

    Parameters
    ----------
    panel
        Holds the columns.
    columns
        One column or several.
    within
        Strata (clusters, say; the labels known at the date) or a categorical column (industry).
    how
        "rank": percentile rank in (0, 1], ties averaged; "demean": minus the group's mean;
        "zscore": that over the group's standard deviation (ddof=0).

    Returns
    -------
    Panel
        Same rows and names of columns; missing where the asset has no group.

    Raises
    ------
    ConfigError
        For an unknown ``how``.
    InputDataError
        For columns that the panel lacks.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 4, "asset": list("ABCD"),
    ...     "lev": [0.1, 0.2, 0.8, 0.9], "industry": ["oil", "oil", "banks", "banks"]}), freq="M")
    >>> neutral(panel, "lev", "industry").values("lev").tolist()
    [0.5, 1.0, 0.5, 1.0]
    """
    panel = as_panel(panel)
    if how not in get_args(How):
        raise ConfigError(f"how is one of {', '.join(get_args(How))}, got {how!r}.")
    names = [columns] if isinstance(columns, str) else list(columns)
    require_columns(panel.columns, names, "neutral")
    groups = groups_known(panel, within)
    n_groups = int(groups.max(initial=0)) + 1
    order = sort_by(panel.date_codes, groups, len(panel.dates), n_groups)
    cells = (panel.date_codes * n_groups + groups)[order]
    offsets = offsets_of(cells, len(panel.dates) * n_groups)
    out = {}
    for name in names:
        values = np.where(groups > 0, panel.values(name), np.nan)[order]
        column = np.empty(len(panel))
        column[order] = _standing(values, offsets, how)
        out[name] = column
    return panel.assign(out)


def _standing(values: Float64, offsets: Int64, how: How) -> Float64:
    if how == "rank":
        return bydate.rank(values, offsets, pct=True)
    if how == "zscore":
        return bydate.standardize(values, offsets)
    ones = np.ones(values.size, dtype=np.int64)
    mean = bydate.weighted_mean(values, np.ones(values.size), ones, offsets, 1).mean[:, 0]
    return values - np.repeat(mean, np.diff(offsets))


def dummy_returns(
    strata: Strata,
    panel: Panel | pd.DataFrame,
    *,
    weighting: Weighting = "value",
    hold: Hold = None,
    missing: Missing = "renormalise",
) -> FactorReturns:
    """Return what each stratum earned over the mean stratum: returns to cluster membership.

    Regressing returns on dummies of all clusters, with the coefficients summing to zero, gives
    each cluster's mean return minus the mean over clusters; the factors are zero-cost.

    Parameters
    ----------
    strata, panel, weighting, hold, missing
        As for `portfolio_returns`.

    Returns
    -------
    FactorReturns
        ``kind="zero_cost"``, one column per stratum; columns sum to zero on every date.

    Raises
    ------
    ConfigError, InputDataError
        As for `portfolio_returns`.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = pd.DataFrame({"date": ["2020-01-31"] * 2 + ["2020-02-29"] * 2,
    ...     "asset": ["A", "B"] * 2, "ret": [0.0, 0.0, 0.04, 0.02], "market_cap": 1.0})
    >>> clusters = Strata(pd.DataFrame({"A": [1], "B": [2]}, index=pd.to_datetime(["2020-01-31"])),
    ...                   ordered=False)
    >>> dummy_returns(clusters, Panel(rows)).frame.round(4).values.tolist()
    [[0.01, -0.01]]
    """
    panel = as_panel(panel)
    total = portfolio_returns(strata, panel, weighting=weighting, hold=hold, missing=missing)
    return FactorReturns(
        total.frame.sub(total.frame.mean(axis=1), axis=0),
        kind="zero_cost",
        freq=total.freq,
        counts=total.counts,
        source=f"over the mean stratum: {total.source}",
        notes=total.notes,
    )
