"""Yahoo's statements: four years or five quarters, and no word on when they were filed.

Without a filing date a statement can only be used with a lag that somebody declares, so a lag is
required. Figures are as they stand today: restatements have replaced what was filed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache, partial
from importlib import resources
from typing import Any, Literal

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.data.lags import Lag, apply_lag
from alphastrata.data.statements import Statements, collect_statements
from alphastrata.data.store import Entry, Fetched, Mode, Store
from alphastrata.data.yahoo import TickerProgress, ask_yahoo, check_tickers, obtain_in_turn
from alphastrata.errors import ConfigError, InputDataError, LookAheadError

TIMESERIES_URL = (
    "https://query2.finance.yahoo.com/ws/fundamentals-timeseries/v1/finance/timeseries/"
)
"""Where the statements of a ticker are served."""

_PREFIX = {"annual": "annual", "quarterly": "quarterly"}


def yahoo_statements(
    tickers: Sequence[str],
    *,
    lag: Lag | None,
    period: Literal["annual", "quarterly"] = "annual",
    mode: Mode | None = None,
    store: Store | None = None,
    progress: TickerProgress | None = None,
) -> Statements:
    """Return the statements that Yahoo shows of tickers, known after a declared lag.

    Parameters
    ----------
    tickers : sequence of str
        As Yahoo writes them.
    lag : str, int, Timedelta or DateOffset
        From the end of a period until its statement counts as known, such as "4M".
    period : {"annual", "quarterly"}
        Flows of fiscal years or of quarters.
    mode, store, progress
        As in `yahoo_history`.

    Raises
    ------
    LookAheadError
        No lag is declared.
    OfflineError, RateLimitError, SourceError, ConfigError
        As `yahoo_history`.
    """
    if lag is None:
        raise LookAheadError(
            "Yahoo's statements have no filing dates, so nobody can say when they were known. "
            'Declare a lag, such as lag="4M", or take the statements of the SEC: edgar(...).'
        )
    if period not in _PREFIX:
        raise ConfigError(f"period must be annual or quarterly; got {period!r}.")
    names = check_tickers(tickers)
    keep = store if store is not None else Store()
    tables: list[pd.DataFrame] = []
    failures: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    for number, name in enumerate(names, start=1):
        try:
            entry = obtain_in_turn(
                f"yahoo/statements/{name}/{period}",
                partial(_fetch, name, period),
                command=f"alphastrata fetch yahoo {name} --statements {period}",
                mode=mode,
                keep=keep,
                done=number - 1,
                asked=len(names),
            )
            table = parse_timeseries(keep.read(entry), name, period=period)
            table.insert(2, "known_at", apply_lag(table["period_end"], lag))
            tables.append(table)
            entries[name] = entry
        except InputDataError as exc:
            failures[name] = str(exc)
        if progress is not None:
            progress(number, len(names), name)
    count = sum(map(len, tables))
    rule = f"statements of Yahoo, as restated since, known {lag} after their period end"
    notes = [Note(rule, count, count, "", "declared, no filing dates", "data")]
    return collect_statements(tables, failures, notes, entries)


def parse_timeseries(
    raw: bytes, ticker: str, *, period: Literal["annual", "quarterly"] = "annual"
) -> pd.DataFrame:
    """Return the statements in one answer of Yahoo's time series of fundamentals.

    Returns
    -------
    DataFrame
        Columns asset, period_end and the canonical fields; one row per period, NaN where Yahoo
        shows nothing.

    Raises
    ------
    InputDataError
        The answer is no such time series, is about another ticker, mixes currencies, or is empty.
    """
    try:
        results = json.loads(raw)["timeseries"]["result"] or []
        values: dict[str, dict[str, float]] = {}
        currencies: set[str] = set()
        for result in results:
            _read_series(result, ticker, _PREFIX[period], values, currencies)
    except InputDataError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputDataError(
            f"Yahoo's answer for {ticker} is no time series ({exc!r}): it begins {raw[:60]!r}."
        ) from exc
    if not values:
        raise InputDataError(f"Yahoo shows no {period} statements of {ticker}.")
    if len(currencies) > 1:
        raise InputDataError(f"Yahoo's statements of {ticker} mix {', '.join(sorted(currencies))}.")
    items = pd.DataFrame(values).sort_index()
    table = pd.DataFrame(
        {"asset": ticker, "period_end": pd.DatetimeIndex(items.index).as_unit("ns")},
        index=items.index,
    )
    for row in _fields().itertuples():
        name, item = str(row.canonical), str(row.item)
        known = table[name] if name in table else pd.Series(np.nan, index=items.index)
        more = items[item] * float(str(row.sign)) if item in items else known
        table[name] = known.fillna(more)
    return table.reset_index(drop=True)


def _read_series(
    result: dict[str, Any],
    ticker: str,
    prefix: str,
    values: dict[str, dict[str, float]],
    currencies: set[str],
) -> None:
    """Add one item's figures, by date, to `values`."""
    (kind,), (symbol,) = result["meta"]["type"], result["meta"]["symbol"]
    if symbol.upper() != ticker.upper():
        raise InputDataError(f"Yahoo answers about {symbol!r}, not about {ticker!r}.")
    for point in result.get(kind) or []:
        if point is not None:
            item = values.setdefault(kind.removeprefix(prefix), {})
            item[point["asOfDate"]] = float(point["reportedValue"]["raw"])
            currencies.add(str(point.get("currencyCode", "USD")))


@cache
def _fields() -> pd.DataFrame:
    path = resources.files("alphastrata.data") / "yahoo_fields.csv"
    with path.open(encoding="utf-8") as handle:
        return pd.read_csv(handle)


def _fetch(name: str, period: Literal["annual", "quarterly"]) -> Fetched:
    """Ask for the statements of one ticker."""
    end = int((pd.Timestamp.now() + pd.Timedelta(days=1)).timestamp())
    values = {
        "symbol": name,
        "type": ",".join(_PREFIX[period] + str(item) for item in _fields()["item"]),
        "period1": str(int(pd.Timestamp("2010-01-01").timestamp())),
        "period2": str(end),
    }
    fetched = ask_yahoo(f"{TIMESERIES_URL}{name}", values, begins=b'{"timeseries"')
    parse_timeseries(fetched.raw, name, period=period)
    return fetched
