"""Markets that are fetched into the store: Yahoo's prices with statements beside them, and WRDS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata import data
from alphastrata.core import Note, Panel
from alphastrata.errors import InputDataError, SourceError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.editions import Editions
from alphastrata.study.settings.data import DataConfig

Report = Callable[[str, int, int], None]
Float64 = npt.NDArray[np.float64]

# What a study uses of Yahoo's bars; dividends there are per share, those of statements per year.
_PRICES = ["ret", "price", "volume"]
_PANELS: dict[Literal["M", "D"], str] = {"M": "panel", "D": "daily"}
COUNTED = "shares_counted_on"
"""Day since 1970 on which a row's shares were counted; on its way through the join."""


@dataclass(frozen=True, eq=False)
class StoredMarket:
    """A market whose bytes are in the store.

    Attributes
    ----------
    build
        Makes the panels, from the editions that were handed out.
    left_out
        "yahoo AAPL", "statements AAPL" -> why it is not there.
    """

    build: Callable[[], Artefacts]
    left_out: Mapping[str, str] = field(default_factory=dict)


def stored_market(
    config: DataConfig, editions: Editions, known: Mapping[str, str], report: Report
) -> StoredMarket:
    """Fetch what a market lacks, and return how to build it.

    Parameters
    ----------
    config
        With source "yahoo" or "wrds".
    editions
        Where the answers are kept; it records which were read.
    known
        What an earlier run could not have (`StoredMarket.left_out`), not to be asked for again.
    report
        Called with (what, done, total).

    Raises
    ------
    OfflineError, RateLimitError, SourceError
        As the sources; what was fetched before stays stored, and the next run goes on there.
    InputDataError
        Prices are in several currencies, or in another than the statements.
    """
    if config.source == "wrds":
        start, end = config.years
        options: dict[str, Any] = {"url": config.url, "mode": config.mode, "store": editions}
        data.fetch_wrds(
            start=start, end=end, progress=lambda i, n, _: report("fetch wrds", i, n), **options
        )
        lag = "6M" if config.lag is None else config.lag
        return StoredMarket(
            lambda: {
                "panel": data.wrds(start=start, end=end, lag=lag, **options).between(*config.bounds)
            }
        )
    return _yahoo_market(config, editions, known, report)


def _yahoo_market(
    config: DataConfig, editions: Editions, known: Mapping[str, str], report: Report
) -> StoredMarket:
    left_out = {f"yahoo {t}": known[f"yahoo {t}"] for t in config.tickers if f"yahoo {t}" in known}
    start, end = config.start or "", config.end
    found = data.yahoo_history(
        [t for t in config.tickers if f"yahoo {t}" not in known],
        start=_first_day(start),
        end=None if end is None else _day_after(end),
        mode=config.mode,
        store=editions,
        progress=lambda i, n, _: report("fetch yahoo", i, n),
    )
    _one_currency(config, found)
    left_out |= {f"yahoo {ticker}": reason for ticker, reason in found.failures.items()}
    failures = {t: left_out[f"yahoo {t}"] for t in config.tickers if f"yahoo {t}" in left_out}
    history = data.YahooHistory(found.charts, failures, found.entries)
    if config.statements == "none":
        return StoredMarket(lambda: _panels(config, history, None, []), left_out)
    lost = {t: known[f"statements {t}"] for t in history.charts if f"statements {t}" in known}
    asked = [t for t in history.charts if t not in lost]
    if config.statements == "edgar":
        lost |= _fetch_edgar(config, editions, asked, report)
    else:
        lost |= _yahoo_statements(config, editions, asked, report).failures
    there = [t for t in asked if t not in lost]
    if not there:
        first = next(iter(lost))
        raise SourceError(f"None of {len(lost)} tickers has statements. {first}: {lost[first]}")
    notes = [
        Note(reason, 1, len(history.charts), f"asset={t}", "accounts left missing", "data")
        for t, reason in lost.items()
    ]

    def build() -> Artefacts:
        if config.statements == "edgar":
            statements = _edgar_statements(config, editions, there)
        else:
            statements = _yahoo_statements(config, editions, there, report)
        return _panels(config, history, statements, notes)

    return StoredMarket(build, left_out | {f"statements {t}": why for t, why in lost.items()})


def _yahoo_statements(
    config: DataConfig, editions: Editions, tickers: list[str], report: Report
) -> data.Statements:
    return data.yahoo_statements(
        tickers,
        lag=config.lag,
        period="quarterly" if config.period == "quarterly" else "annual",
        mode=config.mode,
        store=editions,
        progress=lambda i, n, _: report("fetch statements", i, n),
    )


def _first_day(day: str) -> str:
    return day + "-01-01"[len(day) - 4 :]


def _day_after(day: str) -> str:
    """Return the day after a day, a month or a year."""
    last = pd.Period(day).end_time if len(day) < 10 else pd.Timestamp(day)
    return (last.normalize() + pd.Timedelta(days=1)).date().isoformat()


def _one_currency(config: DataConfig, history: data.YahooHistory) -> None:
    """Refuse prices in several currencies, and prices that the SEC's dollars do not fit."""
    by_currency: dict[str, list[str]] = {}
    for ticker, chart in history.charts.items():
        by_currency.setdefault(chart.currency or "unknown", []).append(ticker)
    wanted = {"USD"} if config.statements == "edgar" else set(by_currency)
    if len(by_currency) > 1 or set(by_currency) - wanted:
        listed = "; ".join(f"{c}: {', '.join(t[:5])}" for c, t in sorted(by_currency.items()))
        rule = (
            "Statements of the SEC are in dollars, and so must be the prices"
            if config.statements == "edgar"
            else "The prices of one study are in one currency"
        )
        raise InputDataError(f"{rule}; Yahoo's are {listed}. Leave the others out of data.tickers.")


def _companies(config: DataConfig, tickers: Iterable[str]) -> dict[str, str | int]:
    """Return ticker -> what the SEC is asked for."""
    return {ticker: config.companies.get(ticker, ticker) for ticker in tickers}


def _fetch_edgar(
    config: DataConfig, editions: Editions, tickers: list[str], report: Report
) -> dict[str, str]:
    """Put the companies' facts into the store, and return why some have none."""
    asked = _companies(config, tickers)
    _, failures = data.fetch_companies(
        list(asked.values()),
        user_agent=config.user_agent,
        mode=config.mode,
        store=editions,
        progress=lambda i, n, _: report("fetch edgar", i, n),
    )
    labels = {_label(company): ticker for ticker, company in asked.items()}
    return {labels[name]: reason for name, reason in failures.items()}


def _label(company: str | int) -> str:
    """Return what the adapter calls a company."""
    return company if isinstance(company, str) else f"CIK{company:010d}"


def _edgar_statements(
    config: DataConfig, editions: Editions, tickers: list[str]
) -> data.Statements:
    """Return the statements of the SEC under the names of the tickers."""
    asked = _companies(config, tickers)
    got = data.edgar(
        list(asked.values()), period=config.period, user_agent=config.user_agent, store=editions
    )
    names = {_label(company): ticker for ticker, company in asked.items()}
    table = got.table.assign(asset=got.table["asset"].map(names))
    return data.Statements(table, got.failures, got.notes, got.entries)


def _panels(
    config: DataConfig,
    history: data.YahooHistory,
    statements: data.Statements | None,
    notes: list[Note],
) -> Artefacts:
    """Return the monthly panel, and the daily one where it is asked for."""
    out: Artefacts = {}
    for freq, name in _PANELS.items():
        if freq == "D" and not config.daily:
            continue
        panel = history.panel(freq=freq).select(_PRICES)
        if statements is not None:
            panel = panel.with_notes([*statements.notes, *notes])
            panel = with_statements(panel, history, statements.table, config)
        out[name] = panel
    return out


def with_statements(
    prices: Panel, history: data.YahooHistory, table: pd.DataFrame, config: DataConfig
) -> Panel:
    """Return prices with the statements known at each date, and the market cap.

    Shares count as of the day of filing (for Yahoo's statements, of the period's end); splits
    since then multiply them, so that price times shares does not jump at a split. The daily panel
    carries shares and market cap alone.
    """
    lag = config.lag if config.statements == "edgar" else None
    counted = table["filed"] if "filed" in table else table["period_end"]
    days = counted.to_numpy("datetime64[D]").astype(np.int64).astype(np.float64)
    only = ["shares", COUNTED] if prices.freq == "D" else None
    panel = data.as_of(
        prices, table.assign(**{COUNTED: days}), lag=lag, max_age=config.max_age, columns=only
    )
    grown = _splits_since(panel, panel.values(COUNTED), history)
    shares = panel.values("shares") * grown
    panel = panel.select([c for c in panel.columns if c != COUNTED])
    panel = panel.assign({"shares": shares, "market_cap": panel.values("price") * shares})
    moved = np.isfinite(shares) & (grown != 1.0)
    if not moved.any():
        return panel
    first = int(np.flatnonzero(moved)[0])
    where = f"asset={panel.assets[panel.asset_codes[first]]}"
    rule = "a number of shares that was stated before a split"
    note = Note(rule, int(moved.sum()), len(panel), where, "multiplied by the split", "data")
    return panel.with_notes([note])


def _splits_since(panel: Panel, counted: Float64, history: data.YahooHistory) -> Float64:
    """Return new shares per old one since each row's were counted (days since 1970)."""
    days = panel.dates.to_numpy("datetime64[D]").astype(np.int64)[panel.date_codes]
    codes = np.asarray(panel.asset_codes)
    grown = np.ones(len(panel))
    for code, asset in enumerate(panel.assets):
        split = history.charts[str(asset)].frame["split"]
        split = split[split != 1.0]
        if split.empty:
            continue
        at = pd.DatetimeIndex(split.index).to_numpy("datetime64[D]").astype(np.int64)
        factor = np.append(1.0, split.to_numpy(np.float64).cumprod())
        rows = np.flatnonzero((codes == code) & np.isfinite(counted))
        upto, before = (np.searchsorted(at, d[rows], side="right") for d in (days, counted))
        grown[rows] = factor[upto] / factor[before]
    return grown
