"""The two-clock join: at each (date, asset) the statement that was known then.

A statement carries two clocks: ``period_end`` says what it is about, ``known_at`` says since when
anyone could read it. The join looks only at the second clock, and among what was known it shows
the latest period; a restatement of an old period is known later, yet never moves the visible
period back.
"""

from __future__ import annotations

from collections.abc import Sequence

import numba
import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.panel import Panel
from alphastrata.data.clocks import read_clock
from alphastrata.data.lags import Age, Lag, apply_lag, days_of
from alphastrata.data.matching import match_assets
from alphastrata.data.numbers import require_numbers
from alphastrata.errors import LookAheadError

__all__ = ["as_of", "check_statements", "visible_rows"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

CLOCKS = ("asset", "period_end", "known_at")
NANOSECONDS_PER_DAY = 86_400_000_000_000


@numba.njit(cache=True, nogil=True)
def _latest_known(
    row_asset: Int64,
    row_date: Int64,
    offsets: Int64,
    known: Int64,
    period: Int64,
) -> Int64:
    """For each row the position of the visible statement, -1 where none is known."""
    best = np.empty(known.size, np.int64)
    for a in range(offsets.size - 1):
        for j in range(offsets[a], offsets[a + 1]):
            # Later in this order means known later, so >= lets a restatement of the same
            # period replace it and keeps one of an older period out of sight.
            if j > offsets[a] and period[best[j - 1]] > period[j]:
                best[j] = best[j - 1]
            else:
                best[j] = j
    out = np.empty(row_asset.size, np.int64)
    for i in range(row_asset.size):
        a = row_asset[i]
        if a < 0:
            out[i] = -1
            continue
        low, high = offsets[a], offsets[a + 1]
        first = low
        while low < high:
            middle = (low + high) // 2
            if known[middle] <= row_date[i]:
                low = middle + 1
            else:
                high = middle
        out[i] = best[low - 1] if low > first else -1
    return out


def visible_rows(
    row_asset: Int64,
    row_date: Int64,
    asset: Int64,
    period_end: Int64,
    known_at: Int64,
) -> Int64:
    """Return, for each (date, asset), the position of the statement visible then.

    Among the asset's statements with ``known_at <= date`` that is the one with the latest
    ``period_end``; among those of the same period the one known last; among those known at the
    same instant the last in the order given.

    Parameters
    ----------
    row_asset, row_date
        int64[n]: asset codes (-1: an asset without statements) and dates (any unit).
    asset, period_end, known_at
        int64[s]: asset codes (0, 1, ...), and the two clocks in the unit of ``row_date``.

    Returns
    -------
    numpy.ndarray
        int64[n], positions into the statements, -1 where none is known yet.

    Notes
    -----
    One sort of the statements, a running maximum per asset, and a binary search per row:
    O(s log s + n log(s / assets)).

    Examples
    --------
    >>> import numpy as np
    >>> one = np.zeros(3, np.int64)
    >>> visible_rows(one, np.array([1, 5, 9]), one, np.array([1, 2, 1]), np.array([3, 4, 8]))
    array([-1,  1,  1])
    """
    order = np.lexsort((period_end, known_at, asset))
    n_assets = int(max(row_asset.max(initial=-1), asset.max(initial=-1))) + 1
    offsets = np.zeros(n_assets + 1, np.int64)
    np.cumsum(np.bincount(asset, minlength=n_assets), out=offsets[1:])
    found: Int64 = _latest_known(
        np.ascontiguousarray(row_asset, np.int64),
        np.ascontiguousarray(row_date, np.int64),
        offsets,
        np.ascontiguousarray(known_at[order], np.int64),
        np.ascontiguousarray(period_end[order], np.int64),
    )
    if not order.size:
        return found
    return np.where(found >= 0, order[np.maximum(found, 0)], -1)


def as_of(
    prices: Panel,
    statements: pd.DataFrame,
    *,
    lag: Lag | None = None,
    max_age: Age | None = None,
    columns: Sequence[str] | None = None,
) -> Panel:
    """Return ``prices`` with, on each row, the latest statement that was known at its date.

    Parameters
    ----------
    prices
        Panel of any frequency; its rows stay as they are.
    statements
        One row per asset, period and publication: columns ``asset``, ``period_end``, ``known_at``
        (may be absent when a ``lag`` is declared) and numeric columns. A date counts as its whole
        day, a ``known_at`` with a time of day as known from the next day on.
    lag
        A uniform lag after ``period_end``, such as ``"4M"``. With filing dates at hand the later
        of the two counts: a declared lag can delay knowledge, never bring it forward.
    max_age
        Days since ``period_end`` (or ``"18M"``, ``"500D"``) after which a statement is no longer
        shown. None: no limit.
    columns
        The statement columns to join; all numeric ones when None.

    Returns
    -------
    Panel
        ``prices`` plus the statement columns, ``period_end_age`` and ``known_age`` (days). Rows
        without a known statement are missing there, and a note counts them.

    Raises
    ------
    LookAheadError
        Neither ``known_at`` nor ``lag`` says when statements became known, or a statement is
        known before its period ends.
    InputDataError
        Clocks are missing or no full ISO dates, a canonical field holds text, a statement repeats,
        no statement is of an asset of the panel, or a column would be overwritten.

    Notes
    -----
    The row shown is the visible statement as a whole: a field missing there is missing in the
    panel and is not filled from an older statement.

    Examples
    --------
    >>> import pandas as pd
    >>> from alphastrata.core.panel import Panel
    >>> dates = pd.date_range("2015-01-31", periods=3, freq="ME")
    >>> prices = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": 0.01}))
    >>> reports = pd.DataFrame(
    ...     {"asset": ["A"], "period_end": ["2014-12-31"], "known_at": ["2015-02-20"], "sales": 7.0}
    ... )
    >>> as_of(prices, reports).frame["sales"].tolist()
    [nan, 7.0, 7.0]
    """
    table = check_statements(statements, lag=lag)
    names = _chosen_columns(table, columns, taken=prices.columns)
    codes, notes = match_assets(table["asset"], prices.assets)
    if columns is None:
        notes += _left_out(table, names)
    table = table.loc[codes >= 0]
    codes = codes[codes >= 0]
    period = _nanoseconds(table["period_end"])
    known = _nanoseconds(table["known_at"])
    row_date = _nanoseconds(pd.Series(prices.dates))[prices.date_codes]
    rows = visible_rows(np.asarray(prices.asset_codes), row_date, codes, period, known)

    if len(table) == 0:
        period = known = np.zeros(1, np.int64)
    seen = rows >= 0
    safe = np.maximum(rows, 0)
    age = np.where(seen, (row_date - period[safe]) / NANOSECONDS_PER_DAY, np.nan)
    if lag is not None and len(table):
        notes.append(_lag_note(table, lag, filed="known_at" in statements.columns))
    if max_age is not None:
        limit = days_of(max_age)
        old = seen & (np.nan_to_num(age) > limit)
        if old.any():
            notes.append(
                _row_note(
                    prices,
                    old,
                    f"A statement is shown for at most {limit:g} days after its period ends",
                    "left missing",
                )
            )
        seen &= ~old
    unknown = ~seen
    if unknown.any():
        notes.append(_row_note(prices, unknown, "A row needs a known statement", "left missing"))
    joined: dict[str, Float64] = {}
    for name in names:
        values = table[name].to_numpy(np.float64)
        joined[name] = _gather(values, safe, seen)
    joined["period_end_age"] = np.where(seen, age, np.nan)
    joined["known_age"] = np.where(seen, (row_date - known[safe]) / NANOSECONDS_PER_DAY, np.nan)
    return prices.assign(joined).with_notes(notes)


def check_statements(statements: pd.DataFrame, *, lag: Lag | None = None) -> pd.DataFrame:
    """Return statements with both clocks as dates, after the checks that the join relies on.

    Parameters
    ----------
    statements
        Columns ``asset``, ``period_end``, and ``known_at`` unless a ``lag`` is given.
    lag
        See :func:`as_of`.

    Returns
    -------
    pandas.DataFrame
        A copy with ``known_at`` filled, sorted by asset, period and publication.

    Raises
    ------
    LookAheadError, InputDataError
        See :func:`as_of`.
    """
    problems = Violations("statements")
    again = statements.columns[statements.columns.duplicated()]
    problems.require(
        again.empty,
        "Each column appears once",
        count=len(again),
        first=repr(again[0]) if len(again) else "",
        remedy="Rename or drop the repeated columns",
    )
    for name in ("asset", "period_end"):
        problems.require(
            name in statements.columns,
            f"Statements need a column {name!r}",
            remedy="Rename the column that holds it.",
        )
    problems.raise_if_any()
    if "known_at" not in statements.columns and lag is None:
        raise LookAheadError(
            "Statements need to say when they became known; there is no column 'known_at'. "
            'Add the filing dates, or declare a lag such as lag="4M" (months after the period end).'
        )
    table = statements.copy(deep=False)
    nameless = table["asset"].isna()
    problems.require(
        not bool(nameless.any()),
        "Each statement has an asset",
        count=int(nameless.sum()),
        first=f"row {np.flatnonzero(nameless)[0]}" if bool(nameless.any()) else "",
        remedy="Drop these rows or fill their asset.",
    )
    table["asset"] = table["asset"].astype(str)
    table["period_end"] = read_clock(table["period_end"], problems)
    filed = "known_at" in table.columns
    if filed:
        table["known_at"] = read_clock(table["known_at"], problems)
    table = require_numbers(table, problems)
    problems.raise_if_any()
    if lag is not None:
        lagged = apply_lag(table["period_end"], lag)
        table["known_at"] = (
            table["known_at"].where(table["known_at"] > lagged, lagged) if filed else lagged
        )
    late_clock = table["known_at"] < table["period_end"]
    if bool(late_clock.any()):
        early = Violations("statements")
        early.add(
            "A statement cannot be known before its period ends",
            count=int(late_clock.sum()),
            first=_offender(table.loc[late_clock].iloc[0]),
            remedy="Correct the dates or drop these rows.",
        )
        early.raise_if_any(LookAheadError)
    repeated = table.duplicated(list(CLOCKS))
    problems.require(
        not bool(repeated.any()),
        "Each (asset, period_end, known_at) may appear once",
        count=int(repeated.sum()),
        first=_offender(table.loc[repeated].iloc[0]) if bool(repeated.any()) else "",
        remedy="Keep one row of each.",
    )
    problems.raise_if_any()
    return table.sort_values(["asset", "period_end", "known_at"], kind="stable", ignore_index=True)


def _left_out(table: pd.DataFrame, names: Sequence[str]) -> list[Note]:
    """Count the columns that are no numbers and therefore not joined."""
    others = [str(name) for name in table.columns if name not in (*CLOCKS, *names)]
    if not others:
        return []
    rule, action = "A statement column holds numbers", "left out: text and dates are not joined"
    return [Note(rule, len(others), len(names) + len(others), others[0], action, "as_of")]


def _chosen_columns(
    table: pd.DataFrame, columns: Sequence[str] | None, *, taken: Sequence[str]
) -> list[str]:
    """Pick the statement columns to join; refuse unknown, non-numeric and colliding ones."""
    problems = Violations("statements")
    numeric = set(table.select_dtypes("number").columns)
    names = (
        [str(name) for name in table.columns if name in numeric and name not in CLOCKS]
        if columns is None
        else list(columns)
    )
    lost = [name for name in names if name not in numeric]
    problems.require(
        not lost,
        "Columns to join must be numeric columns of the statements",
        count=len(lost),
        first=lost[0] if lost else "",
        remedy=f"Choose from {sorted(map(str, numeric))}.",
    )
    twice = [name for name in [*names, "period_end_age", "known_age"] if name in taken]
    problems.require(
        not twice,
        "A statement column must not overwrite a column of the prices",
        count=len(twice),
        first=twice[0] if twice else "",
        remedy="Rename one of the two, or choose `columns`.",
    )
    problems.raise_if_any()
    return names


@numba.njit(cache=True, nogil=True)
def _gather(values: Float64, rows: Int64, seen: npt.NDArray[np.bool_]) -> Float64:
    """``values[rows]`` where seen, missing elsewhere, in one pass."""
    out = np.empty(rows.size, np.float64)
    for i in range(rows.size):
        out[i] = values[rows[i]] if seen[i] else np.nan
    return out


def _nanoseconds(dates: pd.Series) -> Int64:
    return np.asarray(dates.to_numpy("datetime64[ns]").astype(np.int64))


def _lag_note(table: pd.DataFrame, lag: Lag, *, filed: bool) -> Note:
    """Say that the user, not the source, said when statements became known."""
    rule = "A statement counts as known from its filing date"
    action = f"declared lag of {lag} after the period's end" + (
        ", or the filing date where that is later" if filed else "; there is no filing date"
    )
    return Note(rule, len(table), len(table), _offender(table.iloc[0]), action, "as_of")


def _row_note(panel: Panel, mask: npt.NDArray[np.bool_], rule: str, action: str) -> Note:
    first = int(np.flatnonzero(mask)[0])
    date = panel.dates[panel.date_codes[first]]
    asset = panel.assets[panel.asset_codes[first]]
    return Note(
        rule=rule,
        count=int(mask.sum()),
        of=len(mask),
        first=f"date={date:%Y-%m-%d}, asset={asset}",
        action=action,
        stage="as_of",
    )


def _offender(row: pd.Series) -> str:
    shown = []
    for name in CLOCKS:
        if name in row.index:
            value = row[name]
            text = f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)
            shown.append(f"{name}={text}")
    return ", ".join(shown)
