"""Stratum indicators and their products, as regressors of Fama-MacBeth."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["with_indicators", "with_products"]


def with_indicators(
    panel: Panel, groups: Strata | str, *, baseline: int | str | None = None, prefix: str = ""
) -> tuple[Panel, list[str]]:
    """Return the panel with one 0/1 column per stratum but the baseline, and their names.

    Parameters
    ----------
    panel : Panel
        Rows by (date, asset).
    groups : Strata or str
        Strata: an asset carries the label of the latest formation date at or before the row's
        date. Or a categorical column of the panel.
    baseline : int or str, optional
        The stratum without an indicator (an intercept takes its place); the first by default.
    prefix : str
        Put before the names of strata.

    Returns
    -------
    panel : Panel
        Indicators are missing where an asset is not classified.
    names : list of str
        Names of the new columns.

    Examples
    --------
    >>> data = pd.DataFrame({"date": ["2020-01-31"] * 2, "asset": ["A", "B"], "k": ["x", "y"]})
    >>> panel, names = with_indicators(Panel(data), "k")
    >>> names, panel.values("y").tolist()
    (['y'], [0.0, 1.0])
    """
    codes, labels = _codes(panel, groups)
    wanted = 0
    if baseline is not None:
        keys = list(labels)
        text = str(baseline)
        if text not in keys:
            raise ConfigError(f"baseline is one of the strata {keys}; got {baseline!r}.")
        wanted = keys.index(text)
    columns: dict[str, NDArray[np.float64]] = {}
    missing = codes < 0
    for i, label in enumerate(labels):
        if i == wanted:
            continue
        indicator = (codes == i).astype(np.float64)
        indicator[missing] = np.nan
        columns[f"{prefix}{label}"] = indicator
    _require_new(panel, columns)
    return panel.assign(columns), list(columns)


def with_products(
    panel: Panel, left: Sequence[str], right: Sequence[str]
) -> tuple[Panel, list[str]]:
    """Return the panel with the product of every pair of columns, and their names.

    Parameters
    ----------
    panel : Panel
        Rows by (date, asset).
    left, right : sequence of str
        Columns; products are named "left x right".

    Examples
    --------
    >>> data = pd.DataFrame({"date": ["2020-01-31"], "asset": ["A"], "a": [2.0], "b": [3.0]})
    >>> panel, names = with_products(Panel(data), ["a"], ["b"])
    >>> names, panel.values("a x b").tolist()
    (['a x b'], [6.0])
    """
    columns = {f"{a} x {b}": panel.values(a) * panel.values(b) for a in left for b in right}
    _require_new(panel, columns)
    return panel.assign(columns), list(columns)


def _require_new(panel: Panel, columns: dict[str, NDArray[np.float64]]) -> None:
    taken = [name for name in columns if name in panel.columns]
    if taken:
        raise InputDataError(
            f"New columns need new names; {len(taken)} exist. First: {taken[0]!r}. "
            "Give a prefix or rename."
        )


def _codes(panel: Panel, groups: Strata | str) -> tuple[NDArray[np.int64], list[str]]:
    """Return a code per row, -1 where not classified, and the labels."""
    if isinstance(groups, str):
        column = panel.categorical(groups)
        return column.codes.astype(np.int64), [str(c) for c in column.categories]
    formation = np.searchsorted(groups.dates.to_numpy(), panel.dates.to_numpy(), side="right") - 1
    table = np.full((len(groups.dates) + 1, len(groups.assets) + 1), -1, dtype=np.int64)
    table[groups.date_codes, groups.asset_codes] = np.asarray(groups.codes) - 1
    asset = groups.assets.get_indexer(panel.assets)
    codes = table[formation[panel.date_codes], asset[panel.asset_codes]]
    codes[formation[panel.date_codes] < 0] = -1
    names = groups.names or {}
    return codes, [str(names.get(k, k)) for k in range(1, groups.n + 1)]
