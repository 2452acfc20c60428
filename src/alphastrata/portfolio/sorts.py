"""Sorts on characteristics: panel -> ordered strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core import bydate
from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.grouping import offsets_of, sort_by
from alphastrata.core.panel import Panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.calendars import Rebalance, formation_dates
from alphastrata.portfolio.carrying import groups_known
from alphastrata.portfolio.eligible import Mask, Screen, eligible_rows, screened_rows

Kind = Literal["independent", "dependent"]
Quantiles = int | Sequence[float]
Breakpoints = str | Mask
Int64 = npt.NDArray[np.int64]

_STAGE = "portfolio"


def quantile_sort(
    panel: Panel,
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
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 4, "asset": list("ABCD"),
    ...                             "size": [1.0, 2.0, 3.0, 4.0]}), freq="M")
    >>> quantile_sort(panel, "size", n=2).labels.tolist()
    [1, 1, 2, 2]
    """
    probs = probabilities(n)
    _check(panel, [by], [probs], min_assets)
    rows = _rows(panel, where, rebalance)
    groups = None if within is None else groups_known(panel, within)
    eligible = eligible_rows(panel, breakpoints)
    least = len(probs) + 1 if min_assets is None else min_assets
    sorted_ = _sort_once(panel, by, probs, rows, groups, eligible, least)
    inside = "" if within is None else f" within {within if isinstance(within, str) else 'strata'}"
    return _strata(
        panel,
        rows,
        sorted_.codes,
        n=len(probs) + 1,
        ordered=True,
        names={},
        source=f"{_words(by, n)}{inside}, {_whose(breakpoints)} breakpoints",
        notes=[*rows.notes, *sorted_.notes],
    )


def double_sort(
    panel: Panel,
    first: str,
    second: str,
    *,
    n: tuple[Quantiles, Quantiles] = (5, 5),
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
        Quantiles (or percentiles) of each.
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
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 4, "asset": list("ABCD"),
    ...                             "size": [1.0, 2.0, 3.0, 4.0], "bm": [1.0, 2.0, 1.0, 2.0]}),
    ...               freq="M")
    >>> double_sort(panel, "size", "bm", n=(2, 2)).labels.tolist()
    [1, 2, 3, 4]
    """
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
    panel: Panel,
    by: Sequence[str],
    *,
    n: Sequence[Quantiles],
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
        Quantiles (or percentiles) of each.
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
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31"] * 8, "asset": list("ABCDEFGH"),
    ...     "a": [1., 1, 1, 1, 2, 2, 2, 2], "b": [1., 1, 2, 2, 1, 1, 2, 2],
    ...     "c": [1., 2, 1, 2, 1, 2, 1, 2]}), freq="M")
    >>> joint_sort(panel, ("a", "b", "c"), n=(2, 2, 2)).labels.tolist()
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
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
    _check(panel, list(by), probs, min_assets)
    rows = _rows(panel, where, rebalance)
    notes = list(rows.notes)
    codes = np.ones(rows.size, dtype=np.int64)
    for column, cuts, rule in zip(by, probs, rules, strict=True):
        least = len(cuts) + 1 if min_assets is None else min_assets
        groups = _scatter(rows, codes, len(panel)) if kind == "dependent" else None
        mask = eligible_rows(panel, rule)  # type: ignore[arg-type]
        one = _sort_once(panel, column, cuts, rows, groups, mask, least)
        both = (codes > 0) & (one.codes > 0)
        codes = np.where(both, (codes - 1) * (len(cuts) + 1) + one.codes, 0)
        notes += [note for note in one.notes if note not in notes]
    cells = list(product(*(range(1, len(cuts) + 2) for cuts in probs)))
    names = {
        k: " ".join(f"{name}{i}" for name, i in zip(by, cell, strict=True))
        for k, cell in enumerate(cells, 1)
    }
    words = " x ".join(_words(name, one) for name, one in zip(by, n, strict=True))
    whose = ", ".join(dict.fromkeys(_whose(rule) for rule in rules))  # type: ignore[arg-type]
    return _strata(
        panel,
        rows,
        codes,
        n=len(cells),
        ordered=False,
        names=names,
        source=f"{words}, {kind}, {whose} breakpoints",
        notes=notes,
    )


# ---- what a sort consists of ---------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    """Rows on formation dates, by date: positions (None: all), bounds, and which are sorted."""

    positions: npt.NDArray[np.intp] | None
    dates: npt.NDArray[np.intp]
    offsets: Int64
    sorted: Mask | None
    notes: tuple[Note, ...]

    @property
    def size(self) -> int:
        return int(self.offsets[-1])


@dataclass(frozen=True)
class _Sorted:
    """Labels of the rows on formation dates, 0 for none, and notes."""

    codes: Int64
    notes: list[Note]


def _rows(panel: Panel, where: Screen | Breakpoints, rebalance: Rebalance) -> _Rows:
    dates = formation_dates(panel.dates, rebalance)
    kept, notes = screened_rows(panel, where)
    if len(dates) == len(panel.dates):
        return _Rows(None, dates, panel.offsets, kept, tuple(notes))
    if not len(dates):
        raise InputDataError(
            f"No date of the panel is a formation date under rebalance={rebalance!r}; it runs "
            f"from {panel.dates[0].date()} to {panel.dates[-1].date()}."
        )
    bounds = [(panel.offsets[d], panel.offsets[d + 1]) for d in dates]
    positions = np.concatenate([np.arange(first, last) for first, last in bounds])
    offsets = np.concatenate([[0], np.cumsum([last - first for first, last in bounds])])
    return _Rows(
        positions, dates, offsets.astype(np.int64), None if kept is None else kept[positions],
        tuple(notes),
    )  # fmt: skip


def _sort_once(
    panel: Panel,
    by: str,
    probs: list[Fraction],
    rows: _Rows,
    groups: Int64 | None,
    eligible: Mask | None,
    least: int,
) -> _Sorted:
    """Return labels by one characteristic, inside groups where there are any (0: no group)."""
    values, eligible, groups = _at(rows, panel.values(by), eligible, groups)
    order = None
    offsets = rows.offsets
    per_date = 1
    if groups is not None:
        per_date = int(groups.max(initial=0)) + 1
        date = np.repeat(np.arange(len(rows.dates)), np.diff(rows.offsets))
        order = sort_by(date, groups, len(rows.dates), per_date)
        offsets = offsets_of((date * per_date + groups)[order], len(rows.dates) * per_date)
        values = np.where(groups > 0, values, np.nan)[order]
        eligible = None if eligible is None else eligible[order]
    breaks = bydate.breakpoints(values, offsets, probs, eligible=eligible)
    setting = values == values if eligible is None else (values == values) & eligible
    count = np.diff(np.concatenate(([0], np.cumsum(setting)))[offsets])
    breaks[count < least] = np.nan
    codes = bydate.assign(values, offsets, breaks)
    notes = _notes(by, values, offsets, breaks, count, least, panel.dates[rows.dates], per_date)
    if order is not None:
        back = np.empty_like(codes)
        back[order] = codes
        codes = back
    return _Sorted(codes, notes)


def _at(
    rows: _Rows,
    values: npt.NDArray[np.float64],
    eligible: Mask | None,
    groups: Int64 | None,
) -> tuple[npt.NDArray[np.float64], Mask | None, Int64 | None]:
    """Return values, eligibility and groups on the formation dates, screened."""
    if rows.positions is not None:
        values = values[rows.positions]
        eligible = None if eligible is None else eligible[rows.positions]
        groups = None if groups is None else groups[rows.positions]
    if rows.sorted is not None:
        values = np.where(rows.sorted, values, np.nan)
    return values, eligible, groups


def _notes(
    by: str,
    values: npt.NDArray[np.float64],
    offsets: Int64,
    breaks: npt.NDArray[np.float64],
    count: Int64,
    least: int,
    dates: pd.DatetimeIndex,
    per_date: int,
) -> list[Note]:
    """Return notes on dates (or groups of a date) that were skipped, and on ties."""
    segments = np.diff(offsets) > 0
    what = "dates" if per_date == 1 else "groups of a date"
    thin = segments & (count < least)
    tied = segments & ~thin & (np.diff(breaks, axis=1) <= 0.0).any(axis=1)
    absent = int(np.isnan(values).sum())
    notes = []
    for rule, bad, action in (
        (f"{what} with fewer than {least} assets to set breakpoints of {by}", thin, "skipped"),
        (f"{what} on which ties in {by} leave a stratum empty", tied, "kept"),
    ):
        if bad.any():
            first = f"date={dates[int(np.argmax(bad)) // per_date].date()}"
            notes.append(Note(rule, int(bad.sum()), int(segments.sum()), first, action, _STAGE))
    if absent:
        at = int(np.argmax(np.isnan(values)))
        segment = int(np.searchsorted(offsets, at, side="right")) - 1
        first = f"date={dates[segment // per_date].date()}"
        rule = f"assets on formation dates without {by}"
        notes.append(Note(rule, absent, values.size, first, "not classified", _STAGE))
    return notes


def _strata(
    panel: Panel,
    rows: _Rows,
    codes: Int64,
    *,
    n: int,
    ordered: bool,
    names: dict[int, str],
    source: str,
    notes: list[Note],
) -> Strata:
    kept = np.flatnonzero(codes)
    if not kept.size:
        told = "; ".join(str(note) for note in notes)
        raise InputDataError(f"The sort classifies no asset on any date. {told}")
    positions = kept if rows.positions is None else rows.positions[kept]
    return Strata(
        pd.Series(codes[kept].astype(np.float64), index=panel.index[positions]),
        ordered=ordered,
        names=names,
        source=source,
        n=n,
        notes=notes,
    )


def _scatter(rows: _Rows, codes: Int64, size: int) -> Int64:
    if rows.positions is None:
        return codes
    out = np.zeros(size, dtype=np.int64)
    out[rows.positions] = codes
    return out


def probabilities(n: Quantiles) -> list[Fraction]:
    """Return breakpoints' probabilities as exact fractions."""
    if isinstance(n, int) and not isinstance(n, bool):
        if n < 2:
            raise ConfigError(f"A sort has at least 2 quantiles, got n={n}.")
        return [Fraction(i, n) for i in range(1, n)]
    if isinstance(n, (int, float, str)):
        raise ConfigError(f"n is a whole number or percentiles such as (0.3, 0.7), got {n!r}.")
    exact = [Fraction(str(p)) for p in n]
    if not exact or not all(a < b for a, b in pairwise([Fraction(0), *exact, Fraction(1)])):
        raise ConfigError(f"Percentiles ascend strictly between 0 and 1, got {list(n)}.")
    return exact


def _check(
    panel: Panel, by: list[str], probs: list[list[Fraction]], min_assets: int | None
) -> None:
    require_columns(panel.columns, by, "A sort")
    for name in by:
        panel.values(name)
    if min_assets is not None and min_assets < 1:
        raise ConfigError(f"min_assets is at least 1, got {min_assets}.")
    if np.prod([len(cuts) + 1.0 for cuts in probs]) > 100_000:
        raise ConfigError("A sort has at most 100,000 strata.")


def _words(by: str, n: Quantiles) -> str:
    if isinstance(n, int):
        return f"{n} quantiles of {by}"
    return f"{by} at {', '.join(f'{p:g}' for p in n)}"


def _whose(rule: Breakpoints) -> str:
    return rule if isinstance(rule, str) else "masked"
