"""What a sort consists of: the rows of formation dates, one characteristic's labels, strata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, is_whole, require_columns
from alphastrata.core.grouping import offsets_of, sort_by
from alphastrata.core.panel import Panel
from alphastrata.core.strata import Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.calendars import Rebalance, formation_dates
from alphastrata.portfolio.cutting import Codes, assigned, breaks_by_group, packed, tallied
from alphastrata.portfolio.eligible import Mask, Screen, screened_rows

Quantiles = int | Sequence[float]
Breakpoints = str | Mask
Int64 = npt.NDArray[np.int64]

_STAGE = "portfolio"


@dataclass(frozen=True)
class Formation:
    """Rows on formation dates, by date: positions (None: all), bounds, and which are sorted."""

    positions: npt.NDArray[np.intp] | None
    dates: npt.NDArray[np.intp]
    offsets: Int64
    sorted: Mask | None
    notes: tuple[Note, ...]

    @property
    def size(self) -> int:
        """How many rows there are."""
        return int(self.offsets[-1])


@dataclass(frozen=True)
class Labelled:
    """Labels of the rows on formation dates, 0 for none, and notes."""

    codes: Codes
    notes: list[Note]


def formation_rows(panel: Panel, where: Screen | Breakpoints, rebalance: Rebalance) -> Formation:
    """Return the rows of the formation dates, and a note for each filter that bites."""
    dates = formation_dates(panel.dates, rebalance)
    kept, notes = screened_rows(panel, where)
    if len(dates) == len(panel.dates):
        return Formation(None, dates, panel.offsets, kept, tuple(notes))
    if not len(dates):
        raise InputDataError(
            f"No date of the panel is a formation date under rebalance={rebalance!r}; it runs "
            f"from {panel.dates[0].date()} to {panel.dates[-1].date()}."
        )
    bounds = [(panel.offsets[d], panel.offsets[d + 1]) for d in dates]
    positions = np.concatenate([np.arange(first, last) for first, last in bounds])
    offsets = np.concatenate([[0], np.cumsum([last - first for first, last in bounds])])
    return Formation(
        positions, dates, offsets.astype(np.int64), None if kept is None else kept[positions],
        tuple(notes),
    )  # fmt: skip


def sort_once(
    panel: Panel,
    by: str,
    probs: list[Fraction],
    rows: Formation,
    groups: Int64 | None,
    eligible: Mask | None,
    least: int,
) -> Labelled:
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
    none = np.empty(0, dtype=np.uint32)
    everyone = np.empty(0, dtype=np.bool_)
    mask = everyone if eligible is None else eligible
    breaks, count = breaks_by_group(values, offsets, probs, mask, none, 1, least)
    codes = assigned(values, offsets, breaks, none, 1)
    empty = (tallied(codes, offsets, len(probs) + 2)[:, 1:] == 0).any(axis=1)
    notes = _notes(by, values, offsets, empty, count, least, panel.dates[rows.dates], per_date)
    if order is not None:
        back = np.empty_like(codes)
        back[order] = codes
        codes = back
    return Labelled(codes, notes)


def _at(
    rows: Formation,
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
    empty: npt.NDArray[np.bool_],
    count: Int64,
    least: int,
    dates: pd.DatetimeIndex,
    per_date: int,
) -> list[Note]:
    """Return notes on dates (or groups of a date) that were skipped, and on empty strata."""
    segments = np.diff(offsets) > 0
    what = "dates" if per_date == 1 else "groups of a date"
    thin = segments & (count < least)
    tied = segments & ~thin & empty
    absent = int(np.isnan(values).sum())
    notes = []
    for rule, bad, action in (
        (f"{what} with fewer than {least} assets to set breakpoints of {by}", thin, "skipped"),
        (
            f"{what} on which a stratum of {by} is empty (ties, or others' breakpoints)",
            tied,
            "kept",
        ),
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


def strata_of(
    panel: Panel,
    rows: Formation,
    codes: Codes,
    *,
    n: int,
    ordered: bool,
    names: dict[int, str],
    source: str,
    notes: list[Note],
) -> Strata:
    """Return strata of the rows with a label; none at all is an error that tells why.

    Codes are moved to the front of their own array, which spares a second one.
    """
    kept = codes > 0
    if not kept.any():
        told = "; ".join(str(note) for note in notes)
        raise InputDataError(f"The sort classifies no asset on any date. {told}")
    labelled = kept
    if rows.positions is not None:
        labelled = np.zeros(len(panel), dtype=np.bool_)
        labelled[rows.positions[kept]] = True
    return Strata.from_rows(
        panel,
        labelled,
        codes[: packed(codes)].view(np.int32),  # Without a copy.
        ordered=ordered,
        n=n,
        names=names,
        source=source,
        notes=notes,
    )


def scattered(rows: Formation, codes: Codes, size: int) -> Int64:
    """Return codes of the formation dates as codes of all rows, 0 elsewhere."""
    if rows.positions is None:
        return codes.astype(np.int64)
    out = np.zeros(size, dtype=np.int64)
    out[rows.positions] = codes
    return out


def probabilities(n: Quantiles) -> list[Fraction]:
    """Return breakpoints' probabilities as exact fractions."""
    if is_whole(n):
        if n < 2:
            raise ConfigError(f"A sort has at least 2 quantiles, got n={n}.")
        return [Fraction(i, int(n)) for i in range(1, n)]
    try:
        exact = [Fraction(str(p)) for p in cast(Sequence[float], n)]
    except (TypeError, ValueError):
        told = f"n is a whole number or percentiles such as (0.3, 0.7), got {n!r}."
        raise ConfigError(told) from None
    if not exact or not all(a < b for a, b in pairwise([Fraction(0), *exact, Fraction(1)])):
        raise ConfigError(f"Percentiles ascend strictly between 0 and 1, got {n!r}.")
    return exact


def for_each(n: Quantiles | Sequence[Quantiles], by: Sequence[str]) -> list[Quantiles]:
    """Return one entry for each characteristic of a joint sort; a whole number stands for all."""
    return [n] * len(by) if is_whole(n) else list(cast(Sequence[Quantiles], n))


def check_sort(
    panel: Panel, by: list[str], probs: list[list[Fraction]], min_assets: int | None
) -> None:
    """Raise where a characteristic is missing or the number of strata cannot be."""
    require_columns(panel.columns, by, "A sort")
    for name in by:
        panel.values(name)
    if min_assets is not None and min_assets < 1:
        raise ConfigError(f"min_assets is at least 1, got {min_assets}.")
    if np.prod([len(cuts) + 1.0 for cuts in probs]) > 100_000:
        raise ConfigError("A sort has at most 100,000 strata.")


def words(by: str, n: Quantiles) -> str:
    """Return one sort as words for a source line."""
    if is_whole(n):
        return f"{n} quantiles of {by}"
    return f"{by} at {', '.join(f'{p:g}' for p in cast(Sequence[float], n))}"


def whose(rule: Breakpoints) -> str:
    """Return whose breakpoints as a word for a source line."""
    return rule if isinstance(rule, str) else "masked"
