"""Strata, the waist of the hourglass: (formation date, asset) -> stratum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.grouping import Int64
from alphastrata.core.keys import ASSET, DATE, day
from alphastrata.core.panel import Panel
from alphastrata.errors import InputDataError

Int32 = npt.NDArray[np.int32]
Bool = npt.NDArray[np.bool_]


class _Keys(NamedTuple):
    """Which (date, asset) pairs are labelled, in as little memory as can be.

    Bounds of dates serve without a code per row, and assets may be those of a whole panel.
    """

    dates: pd.DatetimeIndex
    assets: pd.Index
    offsets: Int64
    asset_codes: Int64


class Strata:
    """A label 1..K per (formation date, asset), formed from what was known on that date.

    Parameters
    ----------
    labels
        Whole numbers 1..K indexed by (formation date, asset), or a wide date x asset frame of
        them. A missing label means that the asset is not classified on that date. Text (industry
        codes, say) is numbered in alphabetical order, and gives the names.
    ordered
        Whether label order has a meaning: true of quantiles, false of clusters.
    names
        Stratum -> name; ``str(stratum)`` where none is given.
    probabilities
        Membership probabilities, one column per stratum (named 1..K), indexed as the labels.
    source
        What made the strata, as a sentence for tables and reports.
    n
        K, where it is larger than the largest label seen.
    notes
        What was dropped or imputed on the way here.

    Raises
    ------
    InputDataError
        For labels that are not whole numbers from 1, repeat, or exceed ``n``; for names or
        probabilities that do not fit the labels.

    Examples
    --------
    >>> import pandas as pd
    >>> wide = pd.DataFrame({"A": [1, 2], "B": [2, None]},
    ...                     index=pd.to_datetime(["2020-06-30", "2021-06-30"]))
    >>> strata = Strata(wide, ordered=True, source="halves by size")
    >>> strata
    Strata: 3 labels of 2 ordered strata on 2 formation dates (halves by size)
    """

    def __init__(
        self,
        labels: pd.Series | pd.DataFrame,
        *,
        ordered: bool,
        names: Mapping[int, str] | None = None,
        probabilities: pd.DataFrame | None = None,
        source: str = "",
        n: int | None = None,
        notes: Sequence[Note] = (),
    ) -> None:
        long, groups = _numbered(_long(labels))
        names = groups if names is None else names
        kept = long[long.notna()]
        if not len(kept):
            raise InputDataError(
                f"Strata need at least one classified asset; all {len(long)} labels are missing."
            )
        # Formation dates keep their day: a monthly calendar is the panel's business.
        panel = Panel(kept.to_frame("label"), freq="D")
        values = panel.values("label")
        found = Violations("Strata")
        wrong = (values < 1) | (values != np.floor(values))
        if wrong.any():
            at = int(np.argmax(wrong))
            found.add(
                "Labels are whole numbers from 1",
                count=int(wrong.sum()),
                first=f"{values[at]:g} at {day(panel.index[at][0])}, {panel.index[at][1]}",
                remedy="Leave unclassified assets missing, and number strata from 1",
            )
        largest = int(np.nanmax(values))
        n = largest if n is None else n
        found.require(largest <= n, "No label exceeds n", first=f"label {largest}, n={n}")
        found.raise_if_any()
        keys = _Keys(panel.dates, panel.assets, panel.offsets, panel.asset_codes)
        self._set(keys, values.astype(np.int32), ordered, n, names)
        self.source = source
        self.notes = tuple(notes)
        self.probabilities = _check_probabilities(probabilities, panel, self.n)

    @classmethod
    def from_rows(
        cls,
        panel: Panel,
        rows: Int64 | Bool,
        codes: npt.NDArray[np.integer],
        *,
        ordered: bool,
        n: int,
        names: Mapping[int, str] | None = None,
        source: str = "",
        notes: Sequence[Note] = (),
    ) -> Strata:
        """Return labels of some rows of a panel, without reading and sorting their keys again.

        Parameters
        ----------
        panel
            The panel whose rows are labelled on their own dates.
        rows
            Positions of the rows, ascending, or booleans of shape (n_rows,); at least one.
        codes
            Their labels, 1..n.
        ordered, n, names, source, notes
            As for `Strata`.

        Raises
        ------
        InputDataError
            For positions that do not ascend, booleans that do not fit the panel, or labels outside
            1..n.

        Examples
        --------
        >>> panel = Panel(pd.DataFrame({"date": ["2020-06-30"] * 2, "asset": ["A", "B"]}))
        >>> Strata.from_rows(panel, np.array([1]), np.array([2]), ordered=True, n=2).labels.tolist()
        [2]
        """
        found = Violations("Strata.from_rows")
        count = int(rows.sum()) if rows.dtype == np.bool_ else rows.size
        fits = count == codes.size > 0
        found.require(fits, "There is one label per row, at least one", first=f"{count} rows")
        found.require(
            fits and _selects(rows, len(panel)),
            "Rows are ascending positions in the panel, or booleans for each of its rows",
        )
        found.require(
            fits and codes.min() >= 1 and codes.max() <= n, f"Labels are 1..{n}", first=f"n={n}"
        )
        found.raise_if_any()
        sizes = _sizes(rows, panel.offsets)
        offsets = np.concatenate([[0], np.cumsum(sizes[sizes > 0])]).astype(np.int64)
        every = codes.size == len(panel)  # Then the panel's own codes serve, without a copy.
        asset_codes = panel.asset_codes if every else panel.asset_codes[rows]
        keys = _Keys(panel.dates[sizes > 0], panel.assets, offsets, asset_codes)
        self = cls.__new__(cls)
        self._set(keys, codes.astype(np.int32, copy=False), ordered, n, names)
        self.source, self.notes, self.probabilities = source, tuple(notes), None
        return self

    def _set(
        self,
        keys: _Keys,
        codes: Int32,
        ordered: bool,
        n: int,
        names: Mapping[int, str] | None,
    ) -> None:
        """Fill what every way of making strata shares, after checking the names."""
        found = Violations("Strata")
        names = dict(names or {})
        stray = [k for k in names if not 1 <= k <= n]
        found.require(
            not stray, "Names belong to strata 1..n", count=len(stray), first=str(stray[:1])
        )
        found.raise_if_any()
        self._keys = keys
        self.codes = codes
        self.codes.flags.writeable = False
        self.n = int(n)
        self.ordered = bool(ordered)
        self.names = {k: str(names.get(k, k)) for k in range(1, self.n + 1)}
        found.require(
            len(set(self.names.values())) == self.n,
            "Names of strata are unique",
            first=str(list(self.names.values())),
        )
        found.raise_if_any()

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Formation dates, ascending."""
        return self._keys.dates

    @property
    def assets(self) -> pd.Index:
        """Assets that are classified at least once, ascending."""
        return self._used[0]

    @property
    def date_codes(self) -> Int64:
        """Position of each label's date in ``dates``."""
        return np.repeat(np.arange(len(self.dates)), np.diff(self.offsets))

    @property
    def asset_codes(self) -> Int64:
        """Position of each label's asset in ``assets``."""
        return self._used[1]

    @property
    def offsets(self) -> Int64:
        """Bounds of each formation date in ``codes``, shape (n_dates + 1,)."""
        return self._keys.offsets

    @cached_property
    def _used(self) -> tuple[pd.Index, Int64]:
        """The assets that have a label, and the code of each label's asset among them."""
        _, every, _, codes = self._keys
        used = np.flatnonzero(np.bincount(codes, minlength=len(every)))
        if used.size == len(every):
            return every, codes
        position = np.zeros(len(every), dtype=np.int64)
        position[used] = np.arange(used.size)
        return every.take(used), position[codes]

    def codes_in(self, assets: pd.Index) -> Int64:
        """Return the position of each label's asset in another index, -1 where it lacks it."""
        if self._keys.assets.equals(assets):
            return self._keys.asset_codes
        return assets.get_indexer(self._keys.assets).astype(np.int64)[self._keys.asset_codes]

    @cached_property
    def labels(self) -> pd.Series:
        """Labels as nullable integers indexed by (date, asset)."""
        values = pd.array(self.codes.astype(np.int64), dtype="Int64")
        index = pd.MultiIndex(
            levels=cast(Any, [self.dates.rename(DATE), self.assets]),
            codes=cast(Any, [self.date_codes, self.asset_codes]),
            names=[DATE, ASSET],
            verify_integrity=False,
        )
        return pd.Series(values, index=index, name="stratum")

    def wide(self) -> pd.DataFrame:
        """Return labels as a date x asset frame of nullable integers."""
        cells = np.full((len(self.dates), len(self.assets)), np.nan)
        cells[self.date_codes, self.asset_codes] = self.codes
        wide = pd.DataFrame(cells, index=self.dates.rename(DATE), columns=self.assets)
        return wide.astype("Int64")

    def sizes(self) -> pd.DataFrame:
        """Return how many assets each stratum has on each date, date x stratum name."""
        flat = np.bincount(
            self.date_codes * self.n + self.codes - 1, minlength=len(self.dates) * self.n
        )
        return pd.DataFrame(
            flat.reshape(len(self.dates), self.n),
            index=self.dates.rename(DATE),
            columns=pd.Index(list(self.names.values()), name="stratum"),
        )

    def between(
        self, start: str | pd.Timestamp | None = None, end: str | pd.Timestamp | None = None
    ) -> Strata:
        """Return the strata formed from ``start`` to ``end``, both included."""
        dates = self.dates[self.date_codes]
        keep = np.ones(len(dates), dtype=bool)
        if start is not None:
            keep &= dates >= pd.Timestamp(start)
        if end is not None:
            keep &= dates <= pd.Timestamp(end)
        chances = None
        if self.probabilities is not None:
            chances = self.probabilities[keep]
        return Strata(
            self.labels[keep],
            ordered=self.ordered,
            names=self.names,
            probabilities=chances,
            source=self.source,
            n=self.n,
            notes=self.notes,
        )

    def relabel(self, mapping: Mapping[int, int]) -> Strata:
        """Return the same groups under other numbers; ``mapping`` is a permutation of 1..K."""
        if sorted(mapping) != list(range(1, self.n + 1)) or sorted(mapping.values()) != sorted(
            mapping
        ):
            raise InputDataError(
                f"Strata.relabel takes a permutation of 1..{self.n}, got {dict(mapping)}."
            )
        chances = None
        if self.probabilities is not None:
            chances = self.probabilities.rename(columns=mapping).sort_index(axis=1)
        return Strata(
            self.labels.map(mapping),
            ordered=self.ordered,
            names={mapping[k]: v for k, v in self.names.items() if v != str(k)},
            probabilities=chances,
            source=self.source,
            n=self.n,
            notes=self.notes,
        )

    def __len__(self) -> int:
        return int(self.codes.size)

    def __repr__(self) -> str:
        kind = "ordered" if self.ordered else "unordered"
        source = f" ({self.source})" if self.source else ""
        return (
            f"Strata: {len(self):,} labels of {self.n} {kind} strata on "
            f"{len(self.dates):,} formation dates{source}"
        )

    def _repr_html_(self) -> str:
        from html import escape

        return f"<p>{escape(repr(self))}</p>{self.sizes().tail().to_html(escape=True)}"


def _selects(rows: Int64 | Bool, size: int) -> bool:
    """Return whether rows are a mask of ``size`` rows, or ascending positions among them."""
    if rows.dtype == np.bool_:
        return rows.shape == (size,)
    return bool((np.diff(rows) > 0).all()) and rows[0] >= 0 and rows[-1] < size


def _sizes(rows: Int64 | Bool, offsets: Int64) -> Int64:
    """Return how many of the rows, a mask or ascending positions, each date has."""
    if rows.dtype == np.bool_:
        return np.array([np.count_nonzero(rows[a:b]) for a, b in pairwise(offsets.tolist())])
    return np.diff(np.searchsorted(rows, offsets))


def _long(labels: pd.Series | pd.DataFrame) -> pd.Series:
    if isinstance(labels, pd.DataFrame):
        wide = labels.rename_axis(index=DATE, columns=ASSET)
        if all(pd.api.types.is_numeric_dtype(dtype) for dtype in wide.dtypes):
            wide = wide.astype("Float64")
        return pd.Series(wide.stack())
    if isinstance(labels, pd.Series) and isinstance(labels.index, pd.MultiIndex):
        return labels
    raise InputDataError(
        "Strata take a Series indexed by (date, asset) or a wide date x asset frame, got "
        f"{type(labels).__name__}."
    )


def _numbered(labels: pd.Series) -> tuple[pd.Series, dict[int, str] | None]:
    """Return labels as numbers, and their names where they were text."""
    if pd.api.types.is_numeric_dtype(labels.dtype):
        return labels, None
    numbers = pd.to_numeric(labels, errors="coerce")
    if numbers[labels.notna()].notna().all():
        return numbers.astype(np.float64), None
    text = pd.Categorical(labels.astype("str").where(labels.notna()))
    codes = pd.Series(text.codes + 1.0, index=labels.index, name=labels.name)
    names = {number: str(name) for number, name in enumerate(text.categories, 1)}
    return codes.where(codes > 0), names


def _check_probabilities(
    probabilities: pd.DataFrame | None, panel: Panel, n: int
) -> pd.DataFrame | None:
    if probabilities is None:
        return None
    found = Violations("Strata.probabilities")
    found.require(
        probabilities.columns.tolist() == [*range(1, n + 1)],
        f"Columns are the strata 1..{n}",
        first=str(list(probabilities.columns)),
    )
    found.raise_if_any()
    aligned = Panel(probabilities.rename(columns=str), freq="D")
    rows = aligned.rows_of(panel.index)
    lacking = rows < 0
    found.require(
        not lacking.any(),
        "Every classified asset has probabilities",
        count=int(lacking.sum()),
        first=str(panel.index[int(np.argmax(lacking))]),
    )
    found.raise_if_any()
    values = aligned.matrix([str(k) for k in range(1, n + 1)])[:, rows].T
    off = ~(np.isclose(values.sum(axis=1), 1.0, atol=1e-6) & (values >= 0).all(axis=1))
    found.require(
        not off.any(),
        "Probabilities are not negative and sum to one",
        count=int(off.sum()),
        first=str(panel.index[int(np.argmax(off))]),
    )
    found.raise_if_any()
    return pd.DataFrame(values, index=panel.index, columns=range(1, n + 1))
