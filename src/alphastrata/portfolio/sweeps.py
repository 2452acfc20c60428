"""Returns of sorted portfolios in one pass: many characteristics, or panels larger than memory.

The numbers are those of `portfolio_returns` on `quantile_sort` or `joint_sort` with strata formed
on every date, bit for bit, without the strata in between. A date that cannot be sorted has no
labels here, and is counted; `portfolio_returns` carries the labels before it as long as they live.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import pairwise, product
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.factors import FactorReturns
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.threads import each
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.cutting import assigned, breaks_by_group
from alphastrata.portfolio.eligible import Mask, eligible_rows
from alphastrata.portfolio.pairing import Earned, earn_next
from alphastrata.portfolio.returns import Missing, check_rules, mean_returns
from alphastrata.portfolio.sorting import Breakpoints, Quantiles, for_each, probabilities
from alphastrata.portfolio.weights import Soft, Weighting, describe, row_weights

Kind = Literal["single", "independent", "dependent"]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
_Fields = tuple[Float64, Float64, Int64, Int64, Int64, Float64]

# Rows of a block of dates: a column of it fits a core's cache. Each date's sums belong to one
# block, so that the number of threads changes no bit.
BLOCK_ROWS = 100_000


def sorted_returns(
    panel: Panel | pd.DataFrame,
    by: str | Sequence[str],
    *,
    n: Quantiles | Sequence[Quantiles] = 10,
    kind: Kind = "single",
    breakpoints: Breakpoints = "all",
    weighting: Weighting = "value",
    missing: Missing = "renormalise",
    ret: str = "ret",
    n_jobs: int | None = None,
) -> FactorReturns:
    """Return the portfolios of sorts on one or many characteristics, formed on every date.

    Parameters
    ----------
    panel
        Characteristics, returns, and the column that weighs.
    by
        One characteristic or several.
    n
        Quantiles or percentiles: one for all, or, with a joint sort, one for each characteristic.
    kind
        "single": every characteristic is sorted on its own; "independent" or "dependent": one
        joint sort on all of them.
    breakpoints
        Whose quantiles, as for `quantile_sort`.
    weighting, missing, ret
        As for `portfolio_returns`.
    n_jobs
        Threads; None for as many as numba may use: the cores, ``NUMBA_NUM_THREADS``, or the share
        of a joblib worker. The number changes no bit.

    Returns
    -------
    FactorReturns
        ``kind="total"``. Single sorts name columns "bm 1", "bm 2", ...; joint sorts
        "size1 bm1", "size1 bm2", ...

    Raises
    ------
    ConfigError
        For an unknown kind, quantiles that cannot be, soft weights, or fewer than one job.
    InputDataError
        For columns that the panel lacks, or when no date can be sorted.

    Examples
    --------
    >>> frame = pd.DataFrame({"date": ["2020-01-31"] * 2 + ["2020-02-29"] * 2,
    ...     "asset": ["A", "B"] * 2, "bm": [1.0, 2.0] * 2, "ret": [0, 0, 0.01, 0.02],
    ...     "market_cap": 1.0})
    >>> sorted_returns(Panel(frame), "bm", n=2).frame.round(4).values.tolist()
    [[0.01, 0.02]]
    """
    panel = as_panel(panel)
    options = _Options(by, n, kind, breakpoints, weighting, missing, ret)
    return _collected([_swept(panel, options, n_jobs)], options)


@dataclass(frozen=True)
class _Options:
    """What both public functions are asked for."""

    by: str | Sequence[str]
    n: Quantiles | Sequence[Quantiles]
    kind: Kind
    breakpoints: Breakpoints
    weighting: Weighting
    missing: Missing
    ret: str

    @property
    def columns(self) -> list[str]:
        return [self.by] if isinstance(self.by, str) else list(self.by)

    def cuts(self) -> list[list[Fraction]]:
        """Return the breakpoints of each characteristic."""
        if self.kind == "single":
            one = probabilities(self.n)  # type: ignore[arg-type]
            return [one] * len(self.columns)
        many = for_each(self.n, self.columns)
        if len(many) != len(self.columns):
            raise ConfigError(f"{len(self.columns)} characteristics meet {len(many)} n.")
        return [probabilities(one) for one in many]

    def names(self) -> list[str]:
        """Return the names of the portfolios."""
        ranges = [range(1, len(cuts) + 2) for cuts in self.cuts()]
        if self.kind == "single":
            return [f"{name} {k}" for name, ks in zip(self.columns, ranges) for k in ks]
        return [
            " ".join(f"{name}{i}" for name, i in zip(self.columns, cell))
            for cell in product(*ranges)
        ]


@dataclass(frozen=True)
class _Swept:
    """Returns and counts of one piece, by date, and what was held."""

    means: pd.DataFrame
    counts: pd.DataFrame
    freq: str
    held: int
    missing: int
    unsorted: tuple[pd.DatetimeIndex, ...]
    formed: int


def _swept(panel: Panel, options: _Options, n_jobs: int | None) -> _Swept:
    columns, ret = options.columns, options.ret
    _check(panel, columns, options.kind, options.weighting, options.missing, ret, n_jobs)
    cuts = options.cuts()
    mask = eligible_rows(panel, options.breakpoints)
    market = _Market(
        panel.offsets,
        panel.asset_codes,
        panel.values(ret),
        row_weights(panel, options.weighting),
        np.empty(0, dtype=np.bool_) if mask is None else mask,
    )
    sorts = (
        [[(panel.values(name), one)] for name, one in zip(columns, cuts, strict=True)]
        if options.kind == "single"
        else [[(panel.values(name), one) for name, one in zip(columns, cuts, strict=True)]]
    )
    header = pd.Index(options.names(), name="portfolio")
    blocks = _blocks(panel.offsets)
    if not blocks:
        nothing = pd.DataFrame(columns=header, index=panel.dates[:0], dtype=np.float64)
        return _Swept(nothing, nothing.astype(np.int64), panel.freq, 0, 0, (), 0)
    earn = partial(_earn_block, market, sorts, options.kind == "dependent")
    done = each(earn, blocks, n_jobs=n_jobs)
    whole = [np.concatenate(field) for field in zip(*done, strict=True)]
    parts = [Earned(*(field[:, j] for field in whole)) for j in range(len(sorts))]
    means = np.hstack([mean_returns(part, options.missing) for part in parts])
    found = np.hstack([part.held - part.missing for part in parts])
    labelled = [(part.held + part.unweighted).any(axis=1) for part in parts]
    formed = np.diff(panel.offsets)[:-1] > 0
    rows = np.flatnonzero(np.any(labelled, axis=0)) + 1
    return _Swept(
        pd.DataFrame(means[rows - 1], index=panel.dates[rows], columns=header),
        pd.DataFrame(found[rows - 1], index=panel.dates[rows], columns=header),
        panel.freq,
        int(sum(part.held.sum() for part in parts)),
        int(sum(part.missing.sum() for part in parts)),
        tuple(panel.dates[:-1][formed & ~some] for some in labelled),
        int(formed.sum()),
    )


def _collected(pieces: list[_Swept], options: _Options) -> FactorReturns:
    frame = pd.concat([piece.means for piece in pieces])
    if not len(frame):
        raise InputDataError("The sort classifies no asset on any date before the last.")
    absent = sum(piece.missing for piece in pieces)
    notes = []
    formed = sum(piece.formed for piece in pieces)
    sorts = options.columns if options.kind == "single" else [" x ".join(options.columns)]
    for name, thin in zip(sorts, zip(*(p.unsorted for p in pieces if p.formed)), strict=True):
        dates = [date for piece in thin for date in piece]
        if dates:
            rule, first = f"dates with too few assets to sort by {name}", f"date={dates[0].date()}"
            notes.append(Note(rule, len(dates), formed, first, "skipped", "portfolio"))
    if absent:
        renormalised = options.missing == "renormalise"
        action = "left to the others by weight" if renormalised else "counted as zero"
        held = sum(piece.held for piece in pieces)
        notes.append(Note("held assets without a return", absent, held, "", action, "portfolio"))
    return FactorReturns(
        frame,
        kind="total",
        freq=pieces[0].freq,
        counts=pd.concat([piece.counts for piece in pieces]),
        source=f"{describe(options.weighting)}-weighted {options.kind} sort",
        notes=notes,
    )


@dataclass(frozen=True)
class _Market:
    """The arrays of a panel that every sort needs, rows by date."""

    offsets: Int64
    assets: Int64
    ret: Float64
    weight: Float64
    eligible: Mask


def _blocks(offsets: Int64) -> list[tuple[int, int]]:
    """Return ranges of formation dates [first, last), each of rows that stay in cache."""
    last = offsets.size - 2
    edges = [0]
    for date in range(1, last):
        if offsets[date] - offsets[edges[-1]] >= BLOCK_ROWS:
            edges.append(date)
    return [pair for pair in pairwise([*edges, last]) if pair[0] < pair[1]]


def _earn_block(
    market: _Market,
    sorts: list[list[tuple[Float64, list[Fraction]]]],
    dependent: bool,
    block: tuple[int, int],
) -> _Fields:
    """Return what labels formed on dates [first, last) earned on the dates after them."""
    first, last = block
    offsets = market.offsets[first : last + 1]
    labels = np.empty((len(sorts), offsets[-1] - offsets[0]), dtype=np.uint32)
    for row, sort in zip(labels, sorts, strict=True):
        codes, cells = np.empty(0, dtype=np.uint32), 1
        for values, cuts in sort:
            groups = cells if dependent else 1
            least, mask = len(cuts) + 1, market.eligible
            edges, _ = breaks_by_group(values, offsets, cuts, mask, codes, groups, least)
            codes = assigned(values, offsets, edges, codes, groups)
            cells *= len(cuts) + 1
        row[:] = codes
    following = market.offsets[first : last + 2]
    return earn_next(following, market.assets, market.ret, market.weight, labels, cells)


def _check(
    panel: Panel,
    columns: list[str],
    kind: str,
    weighting: Weighting,
    missing: str,
    ret: str,
    n_jobs: int | None,
) -> None:
    found = Violations("sorted_returns")
    found.require(
        kind in get_args(Kind), f"kind is one of {', '.join(get_args(Kind))}", first=repr(kind)
    )
    found.require(not isinstance(weighting, Soft), "Sorted strata take no Soft weights")
    found.require(
        0 < len(columns) == len(set(columns)), "Characteristics are distinct", first=str(columns)
    )
    found.require(n_jobs is None or n_jobs >= 1, "n_jobs is None or at least 1", first=repr(n_jobs))
    found.raise_if_any(ConfigError)
    check_rules(panel, weighting, None, missing, ret)
    require_columns(panel.columns, columns, "sorted_returns")


def sorted_returns_by_chunk(
    chunks: Iterable[Panel],
    by: str | Sequence[str],
    *,
    n: Quantiles | Sequence[Quantiles] = 10,
    kind: Kind = "single",
    breakpoints: str = "all",
    weighting: Weighting = "value",
    missing: Missing = "renormalise",
    ret: str = "ret",
    n_jobs: int | None = None,
) -> FactorReturns:
    """Return `sorted_returns` of a panel that comes in pieces, in the order of dates.

    Parameters
    ----------
    chunks
        Panels with ascending dates that do not overlap, such as the years of a daily panel on
        disk; only one is in memory at a time.
    by, n, kind, breakpoints, weighting, missing, ret, n_jobs
        As for `sorted_returns`.

    Returns
    -------
    FactorReturns
        The same bits as in one piece: the last date of each piece is carried into the next.

    Raises
    ------
    InputDataError
        When dates of chunks overlap, or there is no chunk.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> index = pd.MultiIndex.from_product([pd.date_range("2020-01-31", periods=6, freq="ME"),
    ...                                     range(30)], names=["date", "asset"])
    >>> frame = pd.DataFrame({"ret": rng.normal(size=180), "x": rng.normal(size=180)}, index=index)
    >>> panel = Panel(frame.assign(market_cap=1.0))
    >>> pieces = [panel.between(None, "2020-03-31"), panel.between("2020-04-30", None)]
    >>> whole = sorted_returns(panel, "x", n=2)
    >>> sorted_returns_by_chunk(pieces, "x", n=2).frame.equals(whole.frame)
    True
    """
    options = _Options(by, n, kind, breakpoints, weighting, missing, ret)
    pieces: list[_Swept] = []
    last: Panel | None = None
    for chunk in chunks:
        piece = chunk if last is None else _carried(last, chunk)
        last = chunk.between(chunk.dates[-1], chunk.dates[-1])
        pieces.append(_swept(piece, options, n_jobs))
        del chunk, piece
    if not pieces:
        raise InputDataError("sorted_returns_by_chunk needs at least one chunk.")
    return _collected(pieces, options)


def _carried(last: Panel, chunk: Panel) -> Panel:
    """Return a chunk with the date before it in front."""
    if last.dates[-1] >= chunk.dates[0]:
        raise InputDataError(
            f"Chunks follow one another; one that begins {chunk.dates[0].date()} comes after "
            f"{last.dates[-1].date()}. Sort them by date, without overlap."
        )
    frame = pd.concat([last.frame, chunk.frame])
    for name in chunk.columns:
        if chunk.is_categorical(name):
            pair = [last.categorical(name), chunk.categorical(name)]
            frame[name] = pd.api.types.union_categoricals(pair)
    return Panel(frame, freq=chunk.freq)
