"""Panel: (date, asset) rows, sorted once, in which a value at t was known at t."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.columns import Column, Float64, gather, read_columns, take
from alphastrata.core.grouping import Int64, in_order, lookup, offsets_of, sort_by
from alphastrata.core.keys import ASSET, DATE, FREQUENCIES, Keys, day, month_end, read_keys
from alphastrata.core.lagging import lagged_rows
from alphastrata.errors import InputDataError, LookAheadError


class Panel:
    """A long table of numbers about assets at dates, validated once and immutable.

    Parameters
    ----------
    data
        Long frame indexed by (date, asset), or with columns named "date" and "asset". Columns
        are numbers, booleans (stored as 0 and 1) or categories (text becomes categorical).
    freq
        "D", "W", "M", "Q" or "Y"; inferred from the spacing of the dates when None.
        With "M", dates become calendar month ends, and the calendar has every month between
        the first and the last, also those without rows.
    notes
        What was dropped or imputed on the way here; kept with the panel.

    Raises
    ------
    InputDataError
        Naming, all at once: keys that are missing or repeat, dates with a time zone or that
        cannot be read, infinite values, columns that are neither numbers nor categories.

    Notes
    -----
    The contract that the package cannot check for the user: **a value at t was known at t**.
    `alphastrata.data.as_of` builds such columns from statements that were known later than
    their period end.

    Rows are sorted by date, then by asset, whatever order they came in, so that a shuffled
    input gives the same bits everywhere.

    Examples
    --------
    >>> import pandas as pd
    >>> panel = Panel(pd.DataFrame({
    ...     "date": ["2020-01-31", "2020-01-31", "2020-02-29"],
    ...     "asset": ["B", "A", "A"],
    ...     "ret": [0.02, 0.01, -0.01],
    ... }))
    >>> panel
    Panel: 3 rows, 2 dates (M, 2020-01-31 to 2020-02-29), 2 assets, columns: ret
    >>> panel.lag().values("ret")
    array([ nan,  nan, 0.01])
    """

    __slots__ = ("__dict__", "_columns", "freq", "keys", "notes")

    def __init__(
        self, data: pd.DataFrame, *, freq: str | None = None, notes: Sequence[Note] = ()
    ) -> None:
        found = Violations("Panel")
        if not isinstance(data, pd.DataFrame):
            raise InputDataError(f"Panel takes a DataFrame, got {type(data).__name__}.")
        found.require(
            freq is None or freq in FREQUENCIES,
            f"freq is one of {', '.join(FREQUENCIES)}",
            first=repr(freq),
            remedy="Leave it out to infer it",
        )
        found.require(len(data) > 0, "A panel has at least one row", remedy="Check the filters")
        read = read_keys(data, freq, found) if len(data) else None
        columns = read_columns(data, found)
        if read is None:
            found.raise_if_any()
            raise AssertionError("unreadable keys record why")
        keys, freq, moved = read
        if not in_order(keys.date_codes, keys.asset_codes):
            order = sort_by(keys.date_codes, keys.asset_codes, len(keys.dates), len(keys.assets))
            keys, columns = _take_keys(keys, order), take(columns, order)
        _check_unique(keys, found)
        found.raise_if_any()
        self._fill(keys, columns, freq, (*notes, *moved))

    def _fill(
        self, keys: Keys, columns: dict[str, Column], freq: str, notes: Sequence[Note]
    ) -> None:
        for array in (keys.date_codes, keys.asset_codes, *columns.values()):
            if isinstance(array, np.ndarray):
                array.flags.writeable = False
        self.keys, self._columns, self.freq, self.notes = keys, columns, freq, tuple(notes)

    @classmethod
    def _build(
        cls, keys: Keys, columns: dict[str, Column], freq: str, notes: Sequence[Note]
    ) -> Panel:
        """Return a panel from parts that are already sorted and checked."""
        self = cls.__new__(cls)
        self._fill(keys, columns, freq, notes)
        return self

    @classmethod
    def from_wide(
        cls,
        fields: Mapping[str, pd.DataFrame],
        *,
        freq: str | None = None,
        notes: Sequence[Note] = (),
    ) -> Panel:
        """Return a panel from one date x asset frame per field.

        Parameters
        ----------
        fields
            Field name -> wide frame; the frames need not share dates or assets. A cell that is
            missing in every field gives no row.
        freq, notes
            As for `Panel`.

        Examples
        --------
        >>> import pandas as pd
        >>> dates = pd.to_datetime(["2020-01-31", "2020-02-29"])
        >>> wide = pd.DataFrame({"A": [0.1, 0.2]}, index=dates)
        >>> len(Panel.from_wide({"ret": wide}))
        2
        """
        if not fields:
            raise InputDataError("Panel.from_wide needs at least one field; got none.")
        long = {}
        for name, wide in fields.items():
            if not isinstance(wide, pd.DataFrame):
                raise InputDataError(
                    f"Panel.from_wide takes date x asset frames; field {name!r} is a "
                    f"{type(wide).__name__}."
                )
            wide = wide.rename_axis(index=DATE, columns=ASSET)
            if not (wide.index.is_unique and wide.columns.is_unique):
                raise InputDataError(
                    f"Each date and asset may appear once; field {name!r} repeats some."
                )
            long[name] = wide.stack().dropna()
        return cls(pd.DataFrame(long), freq=freq, notes=notes)

    # ---- what it holds -------------------------------------------------------------------

    @property
    def columns(self) -> list[str]:
        """Names of the columns."""
        return list(self._columns)

    @property
    def dates(self) -> pd.DatetimeIndex:
        """The calendar: unique, ascending; a date may have no rows."""
        return self.keys.dates

    @property
    def assets(self) -> pd.Index:
        """The assets: unique, ascending."""
        return self.keys.assets

    @property
    def date_codes(self) -> Int64:
        """Position of each row's date in ``dates``, shape (n_rows,)."""
        return self.keys.date_codes

    @property
    def asset_codes(self) -> Int64:
        """Position of each row's asset in ``assets``, shape (n_rows,)."""
        return self.keys.asset_codes

    @cached_property
    def offsets(self) -> Int64:
        """Row bounds by date, shape (n_dates + 1,)."""
        return offsets_of(self.date_codes, len(self.dates))

    @cached_property
    def index(self) -> pd.MultiIndex:
        """The (date, asset) index of the rows."""
        return pd.MultiIndex(
            levels=cast(Any, [self.dates.rename(DATE), self.assets]),
            codes=cast(Any, [self.date_codes, self.asset_codes]),
            names=[DATE, ASSET],
            verify_integrity=False,
        )

    @cached_property
    def frame(self) -> pd.DataFrame:
        """All columns as a long frame indexed by (date, asset)."""
        return pd.DataFrame(self._columns, index=self.index, copy=False)

    def is_categorical(self, column: str) -> bool:
        """Return whether the column holds categories."""
        return isinstance(self._get(column), pd.Categorical)

    def values(self, column: str) -> Float64:
        """Return a numeric column, float64 of shape (n_rows,), read-only."""
        array = self._get(column)
        if isinstance(array, pd.Categorical):
            raise InputDataError(
                f"Column {column!r} holds categories, not numbers; use .categorical({column!r})."
            )
        return array

    def categorical(self, column: str) -> pd.Categorical:
        """Return a categorical column."""
        array = self._get(column)
        if not isinstance(array, pd.Categorical):
            raise InputDataError(
                f"Column {column!r} holds numbers, not categories; use .values({column!r})."
            )
        return array

    def matrix(self, columns: Iterable[str]) -> Float64:
        """Return columns as contiguous rows of one array, float64 of shape (k, n_rows)."""
        names = list(columns)
        out = np.empty((len(names), len(self)))
        for row, name in zip(out, names, strict=True):
            row[:] = self.values(name)
        return out

    def _get(self, column: str) -> Column:
        if column not in self._columns:
            require_columns(self.columns, [column], "Panel")
        return self._columns[column]

    # ---- finding rows --------------------------------------------------------------------

    @cached_property
    def _by_asset(self) -> Int64:
        return sort_by(self.asset_codes, self.date_codes, len(self.assets), len(self.dates))

    def asset_order(self) -> Int64:
        """Return row positions sorted by (asset, date), shape (n_rows,)."""
        return self._by_asset

    def asset_offsets(self) -> Int64:
        """Return the bounds of each asset in `asset_order`, shape (n_assets + 1,)."""
        return offsets_of(self.asset_codes[self._by_asset], len(self.assets))

    def lookup(self, date_codes: Int64, asset_codes: Int64) -> Int64:
        """Return the row of each (date code, asset code), -1 where there is none."""
        return lookup(self.offsets, self.asset_codes, date_codes, asset_codes)

    def rows_of(self, index: pd.MultiIndex) -> Int64:
        """Return the row of each (date, asset) of another index, -1 where there is none."""
        dates = pd.DatetimeIndex(index.levels[0]).as_unit("ns")
        if self.freq == "M":
            dates = month_end(dates)
        in_dates = np.append(self.dates.get_indexer(dates), -1).astype(np.int64)
        in_assets = np.append(self.assets.get_indexer(index.levels[1]), -1).astype(np.int64)
        return self.lookup(in_dates[index.codes[0]], in_assets[index.codes[1]])

    # ---- views for people ----------------------------------------------------------------

    def wide(self, field: str) -> pd.DataFrame:
        """Return one column as a date x asset frame, missing where there is no row."""
        shape = (len(self.dates), len(self.assets))
        array = self._get(field)
        if isinstance(array, pd.Categorical):
            codes = np.full(shape, -1, dtype=np.int64)
            codes[self.date_codes, self.asset_codes] = array.codes
            return pd.DataFrame(
                {
                    asset: pd.Categorical.from_codes(codes[:, j], dtype=array.dtype)
                    for j, asset in enumerate(self.assets)
                },
                index=self.dates,
            ).rename_axis(index=DATE, columns=ASSET)
        cells = np.full(shape, np.nan)
        cells[self.date_codes, self.asset_codes] = array
        return pd.DataFrame(cells, index=self.dates.rename(DATE), columns=self.assets)

    def at(self, date: str | pd.Timestamp) -> pd.DataFrame:
        """Return the cross-section of one date, indexed by asset."""
        when = pd.DatetimeIndex([pd.Timestamp(date)]).as_unit("ns")
        when = month_end(when) if self.freq == "M" else when
        code = int(self.dates.get_indexer(when)[0])
        if code < 0:
            raise InputDataError(
                f"The panel has no date {when[0].date()}; its calendar runs from "
                f"{self.dates[0].date()} to {self.dates[-1].date()}."
            )
        rows = slice(int(self.offsets[code]), int(self.offsets[code + 1]))
        return self.frame.iloc[rows].droplevel(DATE)

    # ---- new panels ----------------------------------------------------------------------

    def lag(self, columns: Sequence[str] | None = None, periods: int = 1) -> Panel:
        """Return the same rows with each value replaced by the asset's earlier one.

        Parameters
        ----------
        columns
            Which columns; all when None.
        periods
            How many dates earlier on the panel's calendar, at least 0. An asset without a row
            on that very date gets a missing value: a gap is a gap.

        Raises
        ------
        LookAheadError
            For negative periods.
        """
        if periods < 0:
            raise LookAheadError(
                f"Panel.lag takes periods >= 0, got {periods}: a lead would show values before "
                "they were known. Returns after a formation date come from "
                "portfolio.portfolio_returns."
            )
        chosen = self.select(columns) if columns is not None else self
        rows = lagged_rows(self._by_asset, self.asset_offsets(), self.date_codes, periods)
        return Panel._build(self.keys, gather(chosen._columns, rows), self.freq, self.notes)

    def between(
        self, start: str | pd.Timestamp | None = None, end: str | pd.Timestamp | None = None
    ) -> Panel:
        """Return the rows with start <= date <= end; None leaves a side open."""
        low = 0 if start is None else int(self.dates.searchsorted(pd.Timestamp(start), "left"))
        high = (
            len(self.dates)
            if end is None
            else int(self.dates.searchsorted(pd.Timestamp(end), "right"))
        )
        if low >= high or self.offsets[low] == self.offsets[high]:
            raise InputDataError(
                f"No rows between {start} and {end}; the panel runs from "
                f"{self.dates[0].date()} to {self.dates[-1].date()}."
            )
        rows = np.arange(self.offsets[low], self.offsets[high])
        return self._take(rows, low, high)

    def where(self, mask: npt.ArrayLike) -> Panel:
        """Return the rows where the mask, bool of shape (n_rows,), holds; the calendar stays."""
        keep = np.asarray(mask)
        if keep.dtype != np.bool_ or keep.shape != (len(self),):
            raise InputDataError(
                f"Panel.where takes booleans of shape ({len(self)},), "
                f"got {keep.dtype} of shape {keep.shape}."
            )
        if not keep.any():
            raise InputDataError("Panel.where would leave no row; loosen the filter.")
        return self._take(np.flatnonzero(keep), 0, len(self.dates))

    def select(self, columns: Sequence[str]) -> Panel:
        """Return the panel with these columns only."""
        require_columns(self.columns, list(columns), "Panel.select")
        kept = {name: self._columns[name] for name in columns}
        return Panel._build(self.keys, kept, self.freq, self.notes)

    def rename(self, names: Mapping[str, str]) -> Panel:
        """Return the panel with columns renamed, old -> new."""
        require_columns(self.columns, list(names), "Panel.rename")
        renamed = {names.get(old, old): array for old, array in self._columns.items()}
        if len(renamed) < len(self._columns):
            raise InputDataError("Panel.rename would give two columns one name.")
        return Panel._build(self.keys, renamed, self.freq, self.notes)

    def assign(self, columns: Mapping[str, Any]) -> Panel:
        """Return the panel with columns added or replaced.

        Parameters
        ----------
        columns
            Name -> array of shape (n_rows,) in the panel's order, a scalar, or a Series indexed
            by (date, asset), which is aligned (rows that it lacks become missing).
        """
        found = Violations("Panel.assign")
        frame = pd.DataFrame(index=self.index)
        for name, value in columns.items():
            if isinstance(value, pd.Series) and isinstance(value.index, pd.MultiIndex):
                value = _align(value, self)
            elif np.ndim(value) == 1 and len(value) != len(self):
                found.add(
                    f"A column has one value per row ({len(self)})",
                    first=f"{name!r} has {len(value)}",
                    remedy="Hand in a Series indexed by (date, asset) to have it aligned",
                )
                continue
            frame[name] = value.array if isinstance(value, pd.Series) else value
        found.raise_if_any()
        new = read_columns(frame, found)
        found.raise_if_any()
        return Panel._build(self.keys, {**self._columns, **new}, self.freq, self.notes)

    def join(self, other: Panel | pd.DataFrame, *, how: Literal["left", "inner"] = "left") -> Panel:
        """Return the panel with the columns of another beside its own.

        Parameters
        ----------
        other
            A panel, or a long frame that `Panel` accepts. Its columns must be new, except
            categorical ones, of which the panel's own are kept.
        how
            "left" keeps every row (values that ``other`` lacks become missing), "inner" only
            rows that both have. Either way the count of rows without a partner becomes a note.
        """
        if how not in ("left", "inner"):
            raise InputDataError(f'Panel.join takes how="left" or "inner", got {how!r}.')
        right = other if isinstance(other, Panel) else Panel(other, freq=self.freq)
        twice = [c for c in right.columns if c in self._columns]
        clash = [c for c in twice if not (right.is_categorical(c) and self.is_categorical(c))]
        if clash:
            raise InputDataError(
                f"Panel.join: {len(clash)} columns are in both panels. First: {clash[0]!r}. "
                "Rename or select before joining."
            )
        rows = right.rows_of(self.index)
        alone = rows < 0
        new = {n: a for n, a in right._columns.items() if n not in twice}
        notes = [*self.notes, *(note for note in right.notes if note not in self.notes)]
        if alone.any():
            first = self.index[int(np.argmax(alone))]
            action = "left missing" if how == "left" else "dropped"
            notes.append(
                Note(
                    "rows without a partner in the joined panel",
                    int(alone.sum()),
                    len(self),
                    f"date={day(first[0])}, asset={first[1]}",
                    action,
                    "core",
                )
            )
        joined = Panel._build(self.keys, {**self._columns, **gather(new, rows)}, self.freq, notes)
        return joined.where(~alone) if how == "inner" and alone.any() else joined

    def with_notes(self, notes: Sequence[Note]) -> Panel:
        """Return the panel with notes added."""
        return Panel._build(self.keys, self._columns, self.freq, (*self.notes, *notes))

    def _take(self, rows: Int64, low: int, high: int) -> Panel:
        """Return some rows, in order, with the calendar cut to dates[low:high]."""
        used, codes = np.unique(self.asset_codes[rows], return_inverse=True)
        keys = Keys(
            self.dates[low:high],
            self.assets.take(used),
            self.date_codes[rows] - low,
            codes.astype(np.int64),
        )
        return Panel._build(keys, take(self._columns, rows), self.freq, self.notes)

    def __len__(self) -> int:
        return int(self.keys.date_codes.size)

    def __repr__(self) -> str:
        shown = ", ".join(self.columns[:8]) + (", …" if len(self.columns) > 8 else "")
        return (
            f"Panel: {len(self):,} rows, {len(self.dates):,} dates ({self.freq}, "
            f"{self.dates[0].date()} to {self.dates[-1].date()}), {len(self.assets):,} assets, "
            f"columns: {shown or 'none'}"
        )

    def _repr_html_(self) -> str:
        from html import escape

        head = self.frame.iloc[:5].to_html(escape=True, max_cols=12)
        return f"<p>{escape(repr(self))}</p>{head}"


def _check_unique(keys: Keys, found: Violations) -> None:
    same = (np.diff(keys.date_codes) == 0) & (np.diff(keys.asset_codes) == 0)
    if same.any():
        i = int(np.argmax(same))
        found.add(
            "Each (date, asset) may appear once",
            count=int(same.sum()),
            first=(
                f"date={keys.dates[keys.date_codes[i]].date()}, "
                f"asset={keys.assets[keys.asset_codes[i]]}"
            ),
            remedy="Drop duplicates or aggregate before making a Panel",
        )


def _take_keys(keys: Keys, rows: Int64) -> Keys:
    return Keys(keys.dates, keys.assets, keys.date_codes[rows], keys.asset_codes[rows])


def _align(value: pd.Series, panel: Panel) -> Column:
    right = Panel(value.to_frame("value"), freq=panel.freq)
    return gather(right._columns, right.rows_of(panel.index))["value"]


def as_panel(data: Panel | pd.DataFrame) -> Panel:
    """Return a panel as it is, and a long frame that `Panel` accepts as a panel.

    Raises
    ------
    InputDataError
        For anything else, and for frames that break a rule of `Panel`.
    """
    return data if isinstance(data, Panel) else Panel(data)
