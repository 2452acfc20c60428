"""Holdings and FactorReturns: what portfolios are made of, and what they earn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.keys import ASSET, DATE, FREQUENCIES, day, infer_freq, month_end, to_dates
from alphastrata.errors import InputDataError

Kind = Literal["zero_cost", "excess", "total"]
Legs = Literal["long_short", "long_only", "netted"]
PORTFOLIO = "portfolio"


class Holdings:
    """A weight per (date, asset, portfolio), known at the end of that date.

    Parameters
    ----------
    weights
        Series indexed by (date, asset, portfolio).
    legs
        "long_short": the positive weights of a portfolio sum to +1 and the negative ones to -1
        on each date; "long_only": weights are not negative and sum to +1; "netted": both legs sum
        to the same, at most 1, since a portfolio that is long and short in one asset at once holds
        the difference.
    notes
        What was dropped or imputed on the way here.

    Raises
    ------
    InputDataError
        For missing or repeated weights, and legs that do not sum as stated (to 1e-9).

    Examples
    --------
    >>> import pandas as pd
    >>> day = pd.Timestamp("2020-06-30")
    >>> index = pd.MultiIndex.from_tuples([(day, "A", "LEV"), (day, "B", "LEV")],
    ...                                   names=["date", "asset", "portfolio"])
    >>> Holdings(pd.Series([1.0, -1.0], index=index), legs="long_short")
    Holdings: 2 long_short weights, 1 portfolios, 1 dates
    """

    def __init__(self, weights: pd.Series, *, legs: Legs, notes: Sequence[Note] = ()) -> None:
        found = Violations("Holdings")
        if not isinstance(weights.index, pd.MultiIndex) or weights.index.nlevels != 3:
            raise InputDataError("Holdings take a Series indexed by (date, asset, portfolio).")
        found.require(legs in get_args(Legs), f"legs is one of {get_args(Legs)}", first=repr(legs))
        weights = weights.rename_axis(index=[DATE, ASSET, PORTFOLIO]).astype(float).sort_index()
        missing = ~np.isfinite(weights.to_numpy())
        found.require(
            not missing.any(),
            "Every weight is a finite number",
            count=int(missing.sum()),
            first=str(weights.index[int(np.argmax(missing))]) if len(weights) else "",
        )
        repeated = weights.index.duplicated()
        found.require(
            not repeated.any(),
            "Each (date, asset, portfolio) may appear once",
            count=int(repeated.sum()),
            first=str(weights.index[int(np.argmax(repeated))]) if len(weights) else "",
        )
        found.raise_if_any()
        by_leg = weights.groupby([DATE, PORTFOLIO])
        long, short = by_leg.agg(lambda w: w[w > 0].sum()), by_leg.agg(lambda w: w[w < 0].sum())
        target = -1.0 if legs == "long_short" else 0.0
        gaps = {"The long leg sums to +1": long - 1.0}
        gaps[f"The short leg sums to {target:+g}"] = short - target
        if legs == "netted":
            gaps = {"Netted legs sum to the same": long + short}
            gaps["Netted legs sum to at most 1"] = long.clip(lower=1.0) - 1.0
        for rule, gap in gaps.items():
            off = gap.abs() > 1e-9
            found.require(
                not off.any(),
                rule,
                count=int(off.sum()),
                first=str(off.idxmax()) if len(off) else "",
                remedy="Normalise the weights by leg",
            )
        found.raise_if_any()
        self.weights = weights
        self.legs: Legs = legs
        self.notes = tuple(notes)

    @property
    def portfolios(self) -> list[str]:
        """Names of the portfolios."""
        return list(self.weights.index.get_level_values(PORTFOLIO).unique())

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Dates with weights, ascending."""
        return pd.DatetimeIndex(self.weights.index.get_level_values(DATE).unique())

    def turnover(self) -> pd.DataFrame:
        """Return the one-sided turnover, half the sum of |change of weight|, date x portfolio.

        Weights are compared with those of the date before, without drift; the first date is
        missing. Drifting holdings are `alphastrata.portfolio.backtest`'s.
        """
        wide = self.weights.unstack([ASSET, PORTFOLIO]).fillna(0.0)
        change = wide.diff().abs()
        change.iloc[0] = np.nan
        return 0.5 * change.T.groupby(level=PORTFOLIO).sum(min_count=1).T

    def __repr__(self) -> str:
        return (
            f"Holdings: {len(self.weights):,} {self.legs} weights, "
            f"{len(self.portfolios)} portfolios, {len(self.dates):,} dates"
        )

    def _repr_html_(self) -> str:
        from html import escape

        head = self.weights.rename("weight").iloc[:5].to_frame().to_html(escape=True)
        return f"<p>{escape(repr(self))}</p>{head}"


class FactorReturns:
    """Returns of factors or portfolios, date x factor, in decimals per period.

    Parameters
    ----------
    data
        Frame with a date index and one column per factor.
    kind
        "zero_cost" (long minus short), "excess" (over the risk-free rate already), or "total".
        Only total returns ever have the risk-free rate subtracted, and only once.
    freq
        "D", "W", "M", "Q" or "Y"; inferred when None. Monthly dates become month ends.
    risk_free
        Rate per period, decimals, on the same dates.
    turnover, costs, counts
        Frames beside the returns, date x factor (or x portfolio).
    source, vintage
        Where the returns come from, and which edition of it.
    notes
        What was dropped or imputed on the way here.

    Raises
    ------
    InputDataError
        For dates that repeat or cannot be read, columns that are not numbers or repeat,
        infinite values, an unknown kind.

    Examples
    --------
    >>> import pandas as pd
    >>> dates = pd.to_datetime(["2020-01-31", "2020-02-29"])
    >>> rf = pd.Series([0.001, 0.001], index=dates)
    >>> total = FactorReturns(pd.DataFrame({"1": [0.02, 0.03]}, index=dates), kind="total",
    ...                       risk_free=rf)
    >>> total.excess()["1"].round(3).tolist()
    [0.019, 0.029]
    """

    def __init__(
        self,
        data: pd.DataFrame,
        *,
        kind: Kind,
        freq: str | None = None,
        risk_free: pd.Series | None = None,
        turnover: pd.DataFrame | None = None,
        costs: pd.DataFrame | None = None,
        counts: pd.DataFrame | None = None,
        source: str = "",
        vintage: str = "",
        notes: Sequence[Note] = (),
    ) -> None:
        found = Violations("FactorReturns")
        if not isinstance(data, pd.DataFrame):
            raise InputDataError(
                f"FactorReturns take a date x factor frame, got {type(data).__name__}."
            )
        found.require(kind in get_args(Kind), f"kind is one of {get_args(Kind)}", first=repr(kind))
        found.require(
            freq is None or freq in FREQUENCIES,
            f"freq is one of {', '.join(FREQUENCIES)}",
            first=repr(freq),
        )
        names = pd.Index([str(name) for name in data.columns])
        again = names[names.duplicated()]
        found.require(
            again.empty, "Factor names are unique", count=len(again), first=", ".join(again[:1])
        )
        found.require(data.size > 0, "There is at least one return")
        dates = to_dates(data.index, found)
        found.raise_if_any()
        if dates is None:
            raise AssertionError("unreadable dates record why")
        self.freq = freq or infer_freq(dates.unique().sort_values())
        self.frame = _by_date(data, self.freq, "returns", found)
        for name, column in self.frame.items():
            infinite = np.isinf(column.to_numpy())
            found.require(
                not infinite.any(),
                f"Returns of {name!r} are finite or missing",
                count=int(infinite.sum()),
                first=str(self.frame.index[int(np.argmax(infinite))].date()),
            )
        self.risk_free: pd.Series | None = None
        if risk_free is not None:
            rate = _by_date(risk_free.to_frame("RF"), self.freq, "risk_free", found)["RF"]
            self.risk_free = rate.reindex(self.frame.index)
        found.raise_if_any()
        self.kind: Kind = kind
        self.turnover, self.costs, self.counts = turnover, costs, counts
        self.source, self.vintage, self.notes = source, vintage, tuple(notes)

    @property
    def factors(self) -> list[str]:
        """Names of the factors."""
        return [str(name) for name in self.frame.columns]

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Dates of the returns, ascending."""
        return pd.DatetimeIndex(self.frame.index)

    def excess(self) -> pd.DataFrame:
        """Return what enters a regression: total returns over the risk-free rate, others as is.

        Raises
        ------
        InputDataError
            For total returns without a risk-free rate, or with one that misses a date on which
            there is a return.
        """
        if self.kind != "total":
            return self.frame
        if self.risk_free is None:
            raise InputDataError(
                "Total returns need a risk-free rate to become excess returns; hand one in as "
                'risk_free=, or say kind="excess" if it has been subtracted.'
            )
        gap = self.risk_free.isna() & self.frame.notna().any(axis=1)
        if gap.any():
            raise InputDataError(
                f"The risk-free rate covers every return; {int(gap.sum())} dates lack it. "
                f"First: {day(gap.idxmax())}. Cut the returns with .between(...)."
            )
        return self.frame.sub(self.risk_free, axis=0)

    def select(self, names: Sequence[str]) -> FactorReturns:
        """Return these factors only, in this order."""
        require_columns(self.factors, list(names), "FactorReturns.select")
        cut = {
            field: None if frame is None or not set(names) <= set(frame) else frame[list(names)]
            for field, frame in self._beside().items()
        }
        return self._with(self.frame[list(names)], **cut)

    def between(
        self, start: str | pd.Timestamp | None = None, end: str | pd.Timestamp | None = None
    ) -> FactorReturns:
        """Return the returns from ``start`` to ``end``, both included."""
        rows = self.frame.loc[
            None if start is None else pd.Timestamp(start) : None
            if end is None
            else pd.Timestamp(end)
        ]
        if not len(rows):
            raise InputDataError(
                f"No returns between {start} and {end}; they run from {self.dates[0].date()} "
                f"to {self.dates[-1].date()}."
            )
        return self._with(rows, **{n: _rows(f, rows.index) for n, f in self._beside().items()})

    def rename(self, names: Mapping[str, str]) -> FactorReturns:
        """Return the factors under other names, old -> new."""
        require_columns(self.factors, list(names), "FactorReturns.rename")
        beside = {
            n: None if f is None else f.rename(columns=dict(names))
            for n, f in self._beside().items()
        }
        return self._with(self.frame.rename(columns=dict(names)), **beside)

    def join(self, other: FactorReturns) -> FactorReturns:
        """Return the factors of both on the dates that both have.

        Raises
        ------
        InputDataError
            When a name is in both, frequencies differ, one kind is total and the other not,
            or no date is shared.
        """
        found = Violations("FactorReturns.join")
        twice = [name for name in other.factors if name in self.factors]
        found.require(not twice, "Factor names are new", count=len(twice), first=str(twice[:1]))
        found.require(
            self.freq == other.freq,
            "Frequencies agree",
            first=f"{self.freq} and {other.freq}",
            remedy="Compound the more frequent returns first",
        )
        found.require(
            (self.kind == "total") == (other.kind == "total"),
            "Total returns are joined with total returns only",
            first=f"{self.kind} and {other.kind}",
            remedy="Use .excess() first",
        )
        frame = pd.concat([self.frame, other.frame], axis=1, join="inner")
        found.require(len(frame) > 0, "Some dates are shared")
        found.raise_if_any()
        lost = len(self.frame) - len(frame)
        notes = [*self.notes, *(n for n in other.notes if n not in self.notes)]
        if lost:
            only = self.frame.index.difference(frame.index)
            notes.append(
                Note(
                    "dates that the joined factors lack",
                    lost,
                    len(self.frame),
                    str(only[0].date()),
                    "dropped",
                    "core",
                )
            )
        rate = self.risk_free if self.risk_free is not None else other.risk_free
        kind: Kind = self.kind if self.kind == other.kind else "excess"
        return FactorReturns(
            frame,
            kind=kind,
            freq=self.freq,
            risk_free=None if rate is None else rate.reindex(frame.index),
            source="; ".join(s for s in dict.fromkeys((self.source, other.source)) if s),
            vintage="; ".join(s for s in dict.fromkeys((self.vintage, other.vintage)) if s),
            notes=notes,
            **{
                name: _side_by_side(mine, other._beside()[name], frame.index)
                for name, mine in self._beside().items()
            },
        )

    def _beside(self) -> dict[str, pd.DataFrame | None]:
        return {"turnover": self.turnover, "costs": self.costs, "counts": self.counts}

    def _with(self, frame: pd.DataFrame, **beside: pd.DataFrame | None) -> FactorReturns:
        return FactorReturns(
            frame,
            kind=self.kind,
            freq=self.freq,
            risk_free=None if self.risk_free is None else self.risk_free.reindex(frame.index),
            source=self.source,
            vintage=self.vintage,
            notes=self.notes,
            **beside,
        )

    def __len__(self) -> int:
        return len(self.frame)

    def __repr__(self) -> str:
        vintage = f", vintage {self.vintage}" if self.vintage else ""
        return (
            f"FactorReturns: {', '.join(self.factors[:8])}{', …' if len(self.factors) > 8 else ''}"
            f" ({self.kind}, {self.freq}, {len(self)} dates, {self.dates[0].date()} to "
            f"{self.dates[-1].date()}{vintage})"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>{self.frame.tail().to_html(escape=True)}"


def _rows(frame: pd.DataFrame | None, dates: pd.Index) -> pd.DataFrame | None:
    return None if frame is None else frame.reindex(frame.index.intersection(dates))


def _side_by_side(
    mine: pd.DataFrame | None, other: pd.DataFrame | None, dates: pd.Index
) -> pd.DataFrame | None:
    """Return what is known beside two sets of factors, on their shared dates."""
    present = [frame.reindex(dates) for frame in (mine, other) if frame is not None]
    return pd.concat(present, axis=1) if present else None


def _by_date(data: pd.DataFrame, freq: str, what: str, found: Violations) -> pd.DataFrame:
    """Return a float frame with unique ascending naive dates, recording what is wrong."""
    dates = to_dates(data.index, found)
    wrong = [str(c) for c in data.columns if not pd.api.types.is_numeric_dtype(data[c].dtype)]
    found.require(
        not wrong, f"Columns of {what} are numbers", count=len(wrong), first=", ".join(wrong[:1])
    )
    found.raise_if_any()
    if dates is None:
        raise AssertionError("unreadable dates record why")
    if freq == "M":
        dates = month_end(dates)
    frame = data.astype(np.float64).set_axis(dates.rename(DATE), axis=0)
    frame.columns = pd.Index([str(name) for name in frame.columns], name=data.columns.name)
    repeated = frame.index.duplicated()
    found.require(
        not repeated.any(),
        f"Each date of {what} may appear once",
        count=int(repeated.sum()),
        first=str(frame.index[int(np.argmax(repeated))].date()) if len(frame) else "",
        remedy="Drop or aggregate the repeated dates",
    )
    found.raise_if_any()
    return frame.sort_index()
