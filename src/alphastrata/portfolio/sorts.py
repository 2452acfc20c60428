"""Sorts on characteristics: panel -> ordered strata."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Literal, get_args

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio.calendars import Rebalance
from alphastrata.portfolio.carrying import groups_known
from alphastrata.portfolio.eligible import Screen, eligible_rows
from alphastrata.portfolio.sorting import (
    Breakpoints,
    Quantiles,
    check_sort,
    for_each,
    formation_rows,
    probabilities,
    scattered,
    sort_once,
    strata_of,
    whose,
    words,
)

Kind = Literal["independent", "dependent"]


def quantile_sort(
    panel: Panel | pd.DataFrame,
    by: str,
    *,
    n: Quantiles = 5,
    breakpoints: Breakpoints = "all",
    min_assets: int | None = None,
    where: Screen | Breakpoints = "all",
    within: Strata | str | None = None,
    rebalance: Rebalance = None,
) -> Strata:
    """Return ordered strata by quantiles of a characteristic, 1 the lowest.

    Parameters
    ----------
    panel
        Holds the characteristic, as known at each row's date.
    by
        Its column.
    n
        Number of quantiles, or the percentiles themselves, such as (0.3, 0.7).
    breakpoints
        Whose quantiles: "all", an exchange such as "NYSE", a mask column, or booleans by row.
    min_assets
        A date (or a group, with ``within``) with fewer assets that may set breakpoints is
        skipped and counted; the number of strata when None.
    where
        Which assets are sorted at all: "all", a `Screen`, an exchange, a mask column, booleans.
    within
        Sort inside each group: strata (labels known by the date) or a categorical column. The
        labels stay 1..n: the sort is neutral to the groups.
    rebalance
        When strata are formed: None for every date; "M", "Q" or "Y" for the last date of each
        month, quarter or year; 6 for the last date of June, (3, 9) for March and September.

    Returns
    -------
    Strata
        ``ordered=True``; assets without the characteristic are not classified.

    Raises
    ------
    ConfigError
        For quantiles, breakpoints or a rebalancing rule that cannot be.
    InputDataError
        For a column that the panel lacks, or when no date has enough assets.

    Notes
    -----
    Breakpoints are linear quantiles, as `numpy.quantile` gives them. An asset belongs to stratum
    1 + (number of breakpoints <= its value): one that equals a breakpoint goes to the upper side.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 4, "asset": list("ABCD"),
    ...                             "size": [1.0, 2.0, 3.0, 4.0]}), freq="M")
    >>> quantile_sort(panel, "size", n=2).labels.tolist()
    [1, 1, 2, 2]
    """
    panel = as_panel(panel)
    probs = probabilities(n)
    check_sort(panel, [by], [probs], min_assets)
    rows = formation_rows(panel, where, rebalance)
    groups = None if within is None else groups_known(panel, within)
    eligible = eligible_rows(panel, breakpoints)
    least = len(probs) + 1 if min_assets is None else min_assets
    sorted_ = sort_once(panel, by, probs, rows, groups, eligible, least)
    inside = "" if within is None else f" within {within if isinstance(within, str) else 'strata'}"
    return strata_of(
        panel,
        rows,
        sorted_.codes,
        n=len(probs) + 1,
        ordered=True,
        names={},
        source=f"{words(by, n)}{inside}, {whose(breakpoints)} breakpoints",
        notes=[*rows.notes, *sorted_.notes],
    )


def double_sort(
    panel: Panel | pd.DataFrame,
    first: str,
    second: str,
    *,
    n: int | tuple[Quantiles, Quantiles] = 5,
    kind: Kind = "independent",
    breakpoints: Breakpoints = "all",
    where: Screen | Breakpoints = "all",
    rebalance: Rebalance = None,
) -> Strata:
    """Return strata by two characteristics, numbered row by row: (1, 1), (1, 2), ...

    Parameters
    ----------
    panel
        Holds both characteristics, as known at each row's date.
    first, second
        Their columns.
    n
        Quantiles (or percentiles) of each; one number for both.
    kind
        "independent": both sorts use all assets; "dependent": the second sorts inside each
        stratum of the first.
    breakpoints, where, rebalance
        As for `quantile_sort`.

    Returns
    -------
    Strata
        ``ordered=False`` (there is no one order), named like "size1 bm3".

    Raises
    ------
    ConfigError, InputDataError
        As for `quantile_sort`.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 4, "asset": list("ABCD"),
    ...                             "size": [1.0, 2.0, 3.0, 4.0], "bm": [1.0, 2.0, 1.0, 2.0]}),
    ...               freq="M")
    >>> double_sort(panel, "size", "bm", n=(2, 2)).labels.tolist()
    [1, 2, 3, 4]
    """
    panel = as_panel(panel)
    return joint_sort(
        panel,
        (first, second),
        n=n,
        kind=kind,
        breakpoints=breakpoints,
        where=where,
        rebalance=rebalance,
    )


def joint_sort(
    panel: Panel | pd.DataFrame,
    by: Sequence[str],
    *,
    n: int | Sequence[Quantiles],
    kind: Kind = "independent",
    breakpoints: Breakpoints | Sequence[Breakpoints] = "all",
    min_assets: int | None = None,
    where: Screen | Breakpoints = "all",
    rebalance: Rebalance = None,
) -> Strata:
    """Return strata by two, three or more characteristics, the last one changing fastest.

    Parameters
    ----------
    panel
        Holds the characteristics, as known at each row's date.
    by
        Their columns.
    n
        Quantiles (or percentiles) of each; one number for all.
    kind
        "independent": every sort uses all assets that have its characteristic; "dependent": each
        sorts inside the strata of those before it.
    breakpoints
        One rule for all sorts, or a sequence with one for each.
    min_assets, where, rebalance
        As for `quantile_sort`.

    Returns
    -------
    Strata
        ``ordered=False``; an asset without one of the characteristics is not classified.

    Raises
    ------
    ConfigError, InputDataError
        As for `quantile_sort`.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 8, "asset": list("ABCDEFGH"),
    ...     "a": [1., 1, 1, 1, 2, 2, 2, 2], "b": [1., 1, 2, 2, 1, 1, 2, 2],
    ...     "c": [1., 2, 1, 2, 1, 2, 1, 2]}), freq="M")
    >>> joint_sort(panel, ("a", "b", "c"), n=(2, 2, 2)).labels.tolist()
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    panel = as_panel(panel)
    n = for_each(n, by)
    found = Violations("joint_sort")
    found.require(
        kind in get_args(Kind), f"kind is one of {', '.join(get_args(Kind))}", first=repr(kind)
    )
    found.require(
        len(by) == len(n) and len(set(by)) == len(by) > 0,
        "There is one n for each of the distinct characteristics",
        first=f"{len(by)} characteristics, {len(n)} n",
    )
    shared = isinstance(breakpoints, (str, np.ndarray))
    rules = [breakpoints] * len(by) if shared else list(breakpoints)
    found.require(
        len(rules) == len(by), "There is one breakpoint rule for all sorts, or one for each"
    )
    found.raise_if_any(ConfigError)
    probs = [probabilities(one) for one in n]
    check_sort(panel, list(by), probs, min_assets)
    rows = formation_rows(panel, where, rebalance)
    notes = list(rows.notes)
    codes = np.ones(rows.size, dtype=np.uint32)
    for column, cuts, rule in zip(by, probs, rules, strict=True):
        least = len(cuts) + 1 if min_assets is None else min_assets
        groups = scattered(rows, codes, len(panel)) if kind == "dependent" else None
        mask = eligible_rows(panel, rule)  # type: ignore[arg-type]
        one = sort_once(panel, column, cuts, rows, groups, mask, least)
        both = (codes > 0) & (one.codes > 0)
        codes = np.where(both, (codes - 1) * (len(cuts) + 1) + one.codes, 0)
        notes += [note for note in one.notes if note not in notes]
    cells = list(product(*(range(1, len(cuts) + 2) for cuts in probs)))
    names = {
        k: " ".join(f"{name}{i}" for name, i in zip(by, cell, strict=True))
        for k, cell in enumerate(cells, 1)
    }
    title = " x ".join(words(name, one) for name, one in zip(by, n, strict=True))
    setters = ", ".join(dict.fromkeys(whose(rule) for rule in rules))  # type: ignore[arg-type]
    return strata_of(
        panel,
        rows,
        codes,
        n=len(cells),
        ordered=False,
        names=names,
        source=f"{title}, {kind}, {setters} breakpoints",
        notes=notes,
    )
