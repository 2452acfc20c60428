"""Returns of sorted portfolios in one pass: many characteristics, or panels larger than memory.

The numbers are those of `portfolio_returns` on `quantile_sort` or `joint_sort` with strata formed
on every date, bit for bit, without the strata in between.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from numba import njit

from alphastrata.core import bydate
from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.factors import FactorReturns
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio.eligible import Mask, eligible_rows
from alphastrata.portfolio.pairing import Earned
from alphastrata.portfolio.returns import Missing, check_rules, mean_returns
from alphastrata.portfolio.sorts import Breakpoints, Quantiles, probabilities
from alphastrata.portfolio.weights import Soft, Weighting, describe, row_weights

Kind = Literal["single", "independent", "dependent"]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Codes = npt.NDArray[np.int32]


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _compress(
    values: Float64, offsets: Int64, eligible: Mask, codes: Codes, group: int
) -> tuple[Float64, Int64]:
    """Return the values that may set breakpoints, by date, and their bounds."""
    out = np.empty(values.size)
    bounds = np.zeros(offsets.size, dtype=np.int64)
    n = 0
    for d in range(offsets.size - 1):
        for i in range(offsets[d], offsets[d + 1]):
            keep = values[i] == values[i]
            if eligible.size:
                keep &= eligible[i]
            if codes.size:
                keep &= codes[i] == group
            out[n] = values[i]
            n += keep
        bounds[d + 1] = n
    return out[:n], bounds


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def _assign(values: Float64, offsets: Int64, breaks: Float64, codes: Codes, n_groups: int) -> Codes:
    """Return codes by characteristic inside earlier codes (0: none); breaks (group, date, q)."""
    n_breaks = breaks.shape[2]
    out = np.zeros(values.size, dtype=np.int32)
    cuts = np.empty(n_breaks)
    for d in range(offsets.size - 1):
        if n_groups == 1:
            for q in range(n_breaks):
                cuts[q] = breaks[0, d, q]
            if np.isnan(cuts[0]):
                continue
            for i in range(offsets[d], offsets[d + 1]):
                x = values[i]
                label = 1
                for q in range(n_breaks):
                    label += x >= cuts[q]
                out[i] = label if x == x else 0
        else:
            for i in range(offsets[d], offsets[d + 1]):
                x, g = values[i], codes[i] - 1
                if g >= 0 and x == x and breaks[g, d, 0] == breaks[g, d, 0]:
                    label = 1
                    for q in range(n_breaks):
                        label += x >= breaks[g, d, q]
                    out[i] = label
    return out


@njit(cache=True, nogil=True, error_model="numpy")  # type: ignore[misc,unused-ignore]
def earn_next(
    offsets: Int64, assets: Int64, ret: Float64, weight: Float64, codes: Codes, n_strata: int
) -> tuple[Float64, Float64, Int64, Int64, Int64, Float64]:
    """Return the fields of `pairing.Earned` for labels formed on every date.

    Parameters
    ----------
    offsets, assets, ret, weight
        As for `pairing.earn`; assets ascend within a date.
    codes
        Label of each row, formed on its date, 0 for none.
    n_strata
        How many strata there are.

    Notes
    -----
    The rows of two neighbouring dates are merged by asset: no lookup, one pass in order.
    """
    n_dates = offsets.size - 1
    gain, total, planned = (
        np.zeros((n_dates, n_strata)),
        np.zeros((n_dates, n_strata)),
        np.zeros((n_dates, n_strata)),
    )
    held = np.zeros((n_dates, n_strata), dtype=np.int64)
    missing = np.zeros((n_dates, n_strata), dtype=np.int64)
    unweighted = np.zeros((n_dates, n_strata), dtype=np.int64)
    sums = np.zeros((n_strata + 1, 6))
    counts = np.zeros((n_strata + 1, 3), dtype=np.int64)
    for t in range(1, n_dates):
        sums[:] = 0.0
        counts[:] = 0
        j, last = offsets[t], offsets[t + 1]
        for i in range(offsets[t - 1], offsets[t]):
            k = codes[i]
            if k == 0:
                continue
            w = weight[i]
            if not w > 0.0:
                counts[k, 2] += 1
                continue
            counts[k, 0] += 1
            a = assets[i]
            while j < last and assets[j] < a:
                j += 1
            s = sums[k]
            r = ret[j] if j < last and assets[j] == a else np.nan
            if r == r:
                x = w * r
                h = s[0]
                v = h + x
                z = v - h
                s[1] += (h - (v - z)) + (x - z)
                s[0] = v
                h = s[2]
                v = h + w
                z = v - h
                s[3] += (h - (v - z)) + (w - z)
                s[2] = v
            else:
                counts[k, 1] += 1
                h = s[4]
                v = h + w
                z = v - h
                s[5] += (h - (v - z)) + (w - z)
                s[4] = v
        for k in range(n_strata):
            s = sums[k + 1]
            gain[t, k] = s[0] + s[1]
            total[t, k] = s[2] + s[3]
            v = s[2] + s[4]
            z = v - s[2]
            planned[t, k] = v + (((s[2] - (v - z)) + (s[4] - z)) + (s[3] + s[5]))
            held[t, k], missing[t, k], unweighted[t, k] = (
                counts[k + 1, 0],
                counts[k + 1, 1],
                counts[k + 1, 2],
            )
    return gain, total, held, missing, unweighted, planned


def _breaks(
    values: Float64,
    offsets: Int64,
    probs: list[Fraction],
    eligible: Mask,
    codes: Codes,
    n_groups: int,
) -> Float64:
    """Return breakpoints of each group and date, shape (n_groups, n_dates, q)."""
    out = np.empty((n_groups, offsets.size - 1, len(probs)))
    for g in range(n_groups):
        inside, bounds = _compress(
            values, offsets, eligible, codes if n_groups > 1 else codes[:0], g + 1
        )
        out[g] = bydate.breakpoints(inside, bounds, probs)
        out[g, np.diff(bounds) < len(probs) + 1] = np.nan
    return out


def sorted_returns(
    panel: Panel,
    by: str | Sequence[str],
    *,
    n: Quantiles | Sequence[Quantiles] = 10,
    kind: Kind = "single",
    breakpoints: Breakpoints = "all",
    weighting: Weighting = "value",
    missing: Missing = "renormalise",
    ret: str = "ret",
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

    Returns
    -------
    FactorReturns
        ``kind="total"``. Single sorts name columns "bm 1", "bm 2", ...; joint sorts
        "size1 bm1", "size1 bm2", ...

    Raises
    ------
    ConfigError
        For an unknown kind, quantiles that cannot be, or soft weights.
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
    options = _Options(by, n, kind, breakpoints, weighting, missing, ret)
    return _collected([_swept(panel, options)], options)


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
        many = [self.n] * len(self.columns) if isinstance(self.n, int) else list(self.n)
        if len(many) != len(self.columns):
            raise ConfigError(f"{len(self.columns)} characteristics meet {len(many)} n.")
        return [probabilities(one) for one in many]  # type: ignore[arg-type]

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


def _swept(panel: Panel, options: _Options) -> _Swept:
    columns, ret = options.columns, options.ret
    _check(panel, columns, options.kind, options.weighting, options.missing, ret)
    cuts = options.cuts()
    weight = row_weights(panel, options.weighting)
    mask = eligible_rows(panel, options.breakpoints)
    eligible = np.empty(0, dtype=np.bool_) if mask is None else mask
    none = np.empty(0, dtype=np.int32)
    parts: list[Earned] = []
    if options.kind == "single":
        for name, one in zip(columns, cuts, strict=True):
            values = panel.values(name)
            edges = _breaks(values, panel.offsets, one, eligible, none, 1)
            codes = _assign(values, panel.offsets, edges, none, 1)
            parts.append(_earn(panel, weight, codes, len(one) + 1, ret))
    else:
        codes = _joint_codes(panel, columns, cuts, eligible, options.kind)
        parts.append(_earn(panel, weight, codes, len(options.names()), ret))
    means = np.hstack([mean_returns(part, options.missing) for part in parts])
    found = np.hstack([part.held - part.missing for part in parts])
    used = np.hstack([part.held + part.unweighted for part in parts]).any(axis=1)
    rows = np.flatnonzero(used)
    header = pd.Index(options.names(), name="portfolio")
    return _Swept(
        pd.DataFrame(means[rows], index=panel.dates[rows], columns=header),
        pd.DataFrame(found[rows], index=panel.dates[rows], columns=header),
        panel.freq,
        int(sum(part.held.sum() for part in parts)),
        int(sum(part.missing.sum() for part in parts)),
    )


def _collected(pieces: list[_Swept], options: _Options) -> FactorReturns:
    frame = pd.concat([piece.means for piece in pieces])
    if not len(frame):
        raise InputDataError("The sort classifies no asset on any date before the last.")
    absent = sum(piece.missing for piece in pieces)
    notes = []
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


def _joint_codes(
    panel: Panel, columns: list[str], joint: list[list[Fraction]], eligible: Mask, kind: Kind
) -> Codes:
    codes, cells = np.empty(0, dtype=np.int32), 1
    for name, cuts in zip(columns, joint, strict=True):
        values = panel.values(name)
        groups = cells if kind == "dependent" else 1
        edges = _breaks(values, panel.offsets, cuts, eligible, codes, groups)
        one = _assign(values, panel.offsets, edges, codes, groups)
        if codes.size:
            one += (codes - 1) * np.int32(len(cuts) + 1) * ((codes > 0) & (one > 0))
            one *= codes > 0
        codes, cells = one, cells * (len(cuts) + 1)
    return codes


def _earn(panel: Panel, weight: Float64, codes: Codes, n_strata: int, ret: str) -> Earned:
    return Earned(
        *earn_next(
            panel.offsets, panel.asset_codes, panel.values(ret), weight, codes, n_strata
        )
    )  # fmt: skip


def _check(
    panel: Panel, columns: list[str], kind: str, weighting: Weighting, missing: str, ret: str
) -> None:
    found = Violations("sorted_returns")
    found.require(
        kind in get_args(Kind), f"kind is one of {', '.join(get_args(Kind))}", first=repr(kind)
    )
    found.require(not isinstance(weighting, Soft), "Sorted strata take no Soft weights")
    found.require(
        0 < len(columns) == len(set(columns)), "Characteristics are distinct", first=str(columns)
    )
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
) -> FactorReturns:
    """Return `sorted_returns` of a panel that comes in pieces, in the order of dates.

    Parameters
    ----------
    chunks
        Panels with ascending dates that do not overlap, such as the years of a daily panel on
        disk; only one is in memory at a time.
    by, n, kind, breakpoints, weighting, missing, ret
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
        pieces.append(_swept(piece, options))
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
