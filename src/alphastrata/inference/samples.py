"""The door of every time-series test: returns and factors on common dates, in excess form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import FactorReturns, Note, Violations
from alphastrata.core.keys import infer_freq, month_end, to_dates
from alphastrata.errors import EstimationError, InputDataError
from alphastrata.inference.least_squares import orthonormal

__all__ = [
    "Returns",
    "Sample",
    "align",
    "coefficient_names",
    "describe_dates",
    "require_observations",
    "require_varying",
]

Returns = FactorReturns | pd.DataFrame | pd.Series


@dataclass(frozen=True)
class Sample:
    """Returns and factors, ready for regression.

    Attributes
    ----------
    returns : DataFrame, T x N
        Excess or zero-cost returns; may hold missing values.
    factors : DataFrame, T x K
        Factors without missing values.
    freq : str
        Frequency of the dates.
    notes : tuple of Note
        Dates lost on the way.
    """

    returns: pd.DataFrame
    factors: pd.DataFrame
    freq: str
    notes: tuple[Note, ...]

    @property
    def y(self) -> NDArray[np.float64]:
        """Returns as an array, shape (T, N)."""
        return self.returns.to_numpy(dtype=np.float64)

    @property
    def f(self) -> NDArray[np.float64]:
        """Factors as an array, shape (T, K)."""
        return self.factors.to_numpy(dtype=np.float64)

    @cached_property
    def x(self) -> NDArray[np.float64]:
        """A column of ones and the factors, shape (T, K + 1); collinear factors are refused."""
        x = np.column_stack([np.ones(len(self.factors)), self.f])
        if len(x) > x.shape[1]:
            orthonormal(x, ["the intercept", *map(repr, self.factors.columns)])
        return x

    def complete(self) -> Sample:
        """Return the sample on dates on which every return is present, with a note.

        Raises
        ------
        InputDataError
            If there is no such date.
        EstimationError
            If a return does not vary over them.
        """
        if np.isfinite(self.y.sum()):  # at a fraction of the cost of looking
            require_varying(self.returns, "return")
            return self
        keep = self.returns.notna().all(axis=1)
        lost = int((~keep).sum())
        if not lost:
            return self
        first = str(pd.DatetimeIndex(self.returns.index)[~keep.to_numpy()][0].date())
        note = Note(
            "dates on which some return is missing",
            lost,
            len(keep),
            first,
            "dropped: joint tests need every asset on every date",
            "inference",
        )
        if not keep.any():
            raise InputDataError(
                "Joint tests need dates on which every asset has a return; there is none. "
                "Leave out the assets with the shortest histories."
            )
        rows = keep.to_numpy()
        require_varying(self.returns[rows], "return")
        return Sample(self.returns[rows], self.factors[rows], self.freq, (*self.notes, note))


def coefficient_names(intercept: str, factors: Iterable[object]) -> list[str]:
    """Return the names of coefficients, the intercept first.

    Raises
    ------
    InputDataError
        If a factor bears the name of the intercept.

    Examples
    --------
    >>> coefficient_names("alpha", ["SMB"])
    ['alpha', 'SMB']
    """
    names = [str(name) for name in factors]
    if intercept in names:
        raise InputDataError(
            f"A regressor may not be called {intercept!r}: the intercept is. Rename it."
        )
    return [intercept, *names]


def align(returns: Returns, factors: Returns | None) -> Sample:
    """Return excess returns and factors on the dates that both have.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Test assets. Total returns become excess returns through their own risk-free rate or,
        failing that, the factors'. A plain pandas object is taken as excess (or zero-cost)
        already: nothing is subtracted.
    factors : FactorReturns, DataFrame or Series, or None
        Factors, treated alike; None for none at all.

    Returns
    -------
    Sample
        With a note for every date lost on either side.

    Raises
    ------
    InputDataError
        For total returns without a risk-free rate, repeated dates or names, different
        frequencies, or no date in common.
    """
    rate_r = returns.risk_free if isinstance(returns, FactorReturns) else None
    rate_f = factors.risk_free if isinstance(factors, FactorReturns) else None
    left = _excess(returns, rate_f, "Returns", "asset")
    if factors is None:
        right = pd.DataFrame(index=left.index)
    else:
        right = _excess(factors, rate_r, "Factors", "factor")
    freqs = [o.freq for o in (returns, factors) if isinstance(o, FactorReturns)]
    if len(set(freqs)) == 2:
        raise InputDataError(
            f"Returns and factors share one frequency; got {freqs[0]!r} and {freqs[1]!r}. "
            "Compound the more frequent ones first."
        )
    freq = freqs[0] if freqs else infer_freq(pd.DatetimeIndex(left.index))
    if freq == "M":
        left, right = _monthly(left), _monthly(right)
    notes = [
        note
        for source in (returns, factors)
        if isinstance(source, FactorReturns)
        for note in source.notes
    ]
    values = right.to_numpy(dtype=np.float64)
    holes = np.isnan(values).any(axis=1)
    if holes.any():
        first = str(pd.DatetimeIndex(right.index)[holes][0].date())
        notes.append(
            Note("dates on which a factor is missing", int(holes.sum()), len(right), first,
                 "dropped", "inference")
        )  # fmt: skip
        right = right[~holes]
        if right.empty:
            raise InputDataError(
                f"Factors need dates on which all of them are present; there is none of "
                f"{holes.size}. Leave out those with the shortest histories."
            )
    if left.index.equals(right.index):
        return Sample(left, right, freq, tuple(dict.fromkeys(notes)))
    common = left.index.intersection(right.index)
    if not len(common):
        raise InputDataError(
            f"Returns ({_span(left)}) and factors ({_span(right)}) must share dates; none is "
            "common. Check that both are stamped alike (month ends for monthly data)."
        )
    for what, frame in (("return", left), ("factor", right)):
        lost = frame.index.difference(common)
        if len(lost):
            other = "factors" if what == "return" else "returns"
            notes.append(
                Note(f"{what} dates that the {other} lack", len(lost), len(frame),
                     str(lost[0].date()), "dropped", "inference")
            )  # fmt: skip
    left, right = left.loc[common], right.loc[common]
    return Sample(left, right, freq, tuple(dict.fromkeys(notes)))


def require_observations(returns: pd.Series, coefficients: int) -> None:
    """Raise unless an asset has more observations than coefficients, and they vary.

    Parameters
    ----------
    returns : Series
        Those of one asset that are present, under its name.
    coefficients : int
        How many are to be estimated.

    Raises
    ------
    EstimationError
        Naming the asset.
    """
    if len(returns) <= coefficients:
        raise EstimationError(
            f"A regression on {coefficients} coefficients needs more than {coefficients} "
            f"observations; asset {returns.name!r} has {len(returns)}. Leave it out."
        )
    require_varying(returns.to_frame(), "return")


def require_varying(frame: pd.DataFrame, what: str) -> None:
    """Raise where a column is one number over and over: its variance is rounding error.

    Parameters
    ----------
    frame : DataFrame
        Without missing values.
    what : str
        What the message calls a column.

    Raises
    ------
    EstimationError
        Naming the first such column.
    """
    values = frame.to_numpy(dtype=np.float64)
    if len(values) < 2:
        return
    low, high = values.min(axis=0), values.max(axis=0)
    flat = np.flatnonzero(high - low <= 1e-12 * np.maximum(np.abs(low), np.abs(high)))
    if flat.size:
        raise EstimationError(
            f"Every {what} varies; {flat.size} of {frame.shape[1]} do not. First: "
            f"{frame.columns[int(flat[0])]!r}. Leave them out."
        )


def describe_dates(index: pd.Index, freq: str) -> str:
    """Return "1963-07 to 1991-12, T = 342"."""
    form = "%Y-%m-%d" if freq in ("D", "W") else "%Y-%m"
    dates = pd.DatetimeIndex(index)
    return f"{dates[0].strftime(form)} to {dates[-1].strftime(form)}, T = {len(dates)}"


def _excess(data: Returns, other_rate: pd.Series | None, what: str, column: str) -> pd.DataFrame:
    if isinstance(data, FactorReturns):
        if data.kind == "total" and data.risk_free is None and other_rate is not None:
            # Dates without a rate stay, as missing: they are counted where they are dropped.
            return data.frame.sub(other_rate.reindex(data.frame.index), axis=0)
        return data.excess()
    if isinstance(data, pd.Series):
        data = data.to_frame(column if data.name is None else str(data.name))
    if not isinstance(data, pd.DataFrame):
        raise InputDataError(
            f"{what} are a FactorReturns, a DataFrame or a Series; got {type(data).__name__}."
        )
    found = Violations(what)
    if data.columns.nlevels > 1:
        raise InputDataError(
            f"Columns of {what.lower()} have one name each; got {data.columns.nlevels} levels. "
            'Join them, e.g. with [" ".join(map(str, c)) for c in frame.columns].'
        )
    names = data.columns.astype(str)
    # Objects may differ where their names do not; looking twice at every name would cost as much
    # as the regressions.
    unique = data.columns.is_unique and (data.columns.dtype != object or names.is_unique)
    again = names[:0] if unique else names[names.duplicated()]
    dates = to_dates(data.index, found)
    odd = {d for d in set(data.dtypes) if not pd.api.types.is_numeric_dtype(d)}
    wrong = [str(c) for c, d in data.dtypes.items() if d in odd] if odd else []
    found.require(not wrong, "Columns are numbers", count=len(wrong), first=", ".join(wrong[:1]))
    found.require(unique, "Column names are unique", count=len(again), first=", ".join(again[:1]))
    found.require(data.size > 0, "There is at least one return")
    if dates is not None:
        found.require(
            not dates.has_duplicates,
            "Each date may appear once",
            count=int(dates.duplicated().sum()),
            first=str(dates[dates.duplicated()][0]) if dates.has_duplicates else "",
        )
    found.raise_if_any()
    values = data.to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(values.sum()) and np.isinf(values).any():
        raise InputDataError(
            f"{what} must be finite or missing; {int(np.isinf(values).sum())} are infinite. "
            "Replace them."
        )
    frame = pd.DataFrame(values, index=dates, columns=names, copy=False)
    return frame if frame.index.is_monotonic_increasing else frame.sort_index()


def _monthly(frame: pd.DataFrame) -> pd.DataFrame:
    ends = month_end(pd.DatetimeIndex(frame.index))
    if ends.equals(frame.index):
        return frame
    if ends.has_duplicates:
        raise InputDataError(
            "Monthly data have one row a month; some months have more. "
            "Give the frequency with FactorReturns(..., freq=...)."
        )
    return frame.set_axis(ends, axis=0)


def _span(frame: pd.DataFrame) -> str:
    return f"{frame.index[0].date()} to {frame.index[-1].date()}"
