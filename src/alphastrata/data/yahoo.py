"""Daily prices from Yahoo through yfinance, one stored answer per ticker.

Yahoo knows the tickers of today: companies that failed or were taken over are mostly gone, so a
universe drawn from it has survived by construction, and every panel made here says so. yfinance
returns an empty frame when the network is dead or a ticker is unknown; here both are errors, and
a ticker that fails among others is reported with Yahoo's reason.

yfinance keeps the session, its cookies and the browser's handshake; what it receives is stored as
bytes and read by `parse_yahoo`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.panel import Panel
from alphastrata.core.shown import Shown
from alphastrata.data.store import Entry, Fetched, Mode, Store, utc_now
from alphastrata.data.yahoo_parse import YahooChart, parse_yahoo
from alphastrata.errors import ConfigError, InputDataError, RateLimitError, SourceError

YAHOO_URL = "https://query2.finance.yahoo.com/v8/finance/chart/"
"""Where the daily bars of a ticker are served."""

SURVIVORS = Note(
    "Yahoo lists the tickers of today: those that stopped trading are mostly absent",
    0,
    0,
    "",
    "survivorship-biased",
    "data",
)

TickerProgress = Callable[[int, int, str], None]
"""Called with tickers done, tickers in all, and the ticker just finished."""

_TICKER = re.compile(r"[A-Za-z0-9^][A-Za-z0-9.\-=^]{0,19}")
_RULES = {"W": "W-FRI", "M": "ME"}


@dataclass(frozen=True, eq=False)
class YahooHistory(Shown):
    """Daily histories of several tickers.

    Attributes
    ----------
    charts
        Ticker -> its history.
    failures
        Ticker -> why there is none.
    entries
        Ticker -> the stored answer (URL, time, sha256).
    """

    charts: Mapping[str, YahooChart]
    failures: Mapping[str, str]
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def panel(self, *, freq: Literal["D", "W", "M"] = "D") -> Panel:
        """Return the histories as a panel of ret, price, volume and dividends.

        Parameters
        ----------
        freq : {"D", "W", "M"}
            Weeks are dated by their Friday, months by their last calendar day. The last week or
            month is left out where it is not over in the data.

        Returns
        -------
        Panel
            `ret`: total return over the period, missing on the first and where the period before
            has no price; `price`: last close as paid; `volume`: shares of the period;
            `dividends`: cash per share of the period. Notes: the survivorship stamp, tickers
            without data, what was dropped.
        """
        if freq not in ("D", "W", "M"):
            raise ConfigError(f"freq must be one of D, W, M; got {freq!r}.")
        last = max(chart.frame.index[-1] for chart in self.charts.values())
        frames = {}
        notes = [SURVIVORS]
        for ticker, chart in self.charts.items():
            frames[ticker] = _periods(chart.frame, freq, last)
            notes.extend(chart.notes)
        asked = len(self.charts) + len(self.failures)
        for ticker, reason in self.failures.items():
            notes.append(Note(reason, 1, asked, f"asset={ticker}", "left out", "data"))
        currencies = sorted({chart.currency for chart in self.charts.values()})
        if len(currencies) > 1:
            odd = next(t for t, c in self.charts.items() if c.currency != currencies[0])
            rule = f"prices in several currencies ({', '.join(currencies)})"
            notes.append(
                Note(rule, len(currencies), asked, f"asset={odd}", "kept as they are", "data")
            )
        long = pd.concat(frames, names=["asset", "date"])
        return Panel(long.swaplevel(), freq=freq, notes=notes)


def yahoo(
    tickers: Sequence[str],
    *,
    start: str,
    end: str | None = None,
    freq: Literal["D", "W", "M"] = "D",
    mode: Mode | None = None,
    store: Store | None = None,
    progress: TickerProgress | None = None,
) -> Panel:
    """Return prices and total returns of tickers as a panel.

    Parameters are those of `yahoo_history`; `freq` and the columns are those of
    `YahooHistory.panel`.
    """
    history = yahoo_history(
        tickers, start=start, end=end, mode=mode, store=store, progress=progress
    )
    return history.panel(freq=freq)


def yahoo_history(
    tickers: Sequence[str],
    *,
    start: str,
    end: str | None = None,
    mode: Mode | None = None,
    store: Store | None = None,
    progress: TickerProgress | None = None,
) -> YahooHistory:
    """Return the daily histories of tickers, each fetched and stored for itself.

    An interrupted call goes on where it stopped: tickers that are stored are not fetched again.

    Parameters
    ----------
    tickers : sequence of str
        As Yahoo writes them, such as "BRK-B".
    start, end : str
        First day, and the day after the last; without `end`, up to now (what is stored is then
        the state of the day on which it was fetched; mode "refresh" renews it).
    mode : {"offline", "cache-first", "refresh"}, optional
        ALPHASTRATA_MODE, or "cache-first".
    store : Store, optional
        The default store when not given.
    progress : callable, optional
        Called after each ticker.

    Raises
    ------
    OfflineError
        The mode is "offline" and a ticker is not stored.
    RateLimitError
        Yahoo refuses more requests.
    SourceError
        The network fails, or no ticker has data.
    ConfigError
        A ticker or a date cannot be one, or tickers repeat.
    """
    names = check_tickers(tickers)
    span = _span(start, end)
    keep = store if store is not None else Store()
    charts: dict[str, YahooChart] = {}
    failures: dict[str, str] = {}
    entries: dict[str, Entry] = {}
    for number, name in enumerate(names, start=1):
        try:
            entry = obtain_in_turn(
                f"yahoo/chart/{name}/{span[0]}/{span[1] or 'now'}",
                partial(_fetch, name, span),
                command=f"alphastrata fetch yahoo {name} {_options(span)}",
                mode=mode,
                keep=keep,
                done=number - 1,
                asked=len(names),
            )
            charts[name] = parse_yahoo(keep.read(entry), name)
            entries[name] = entry
        except InputDataError as exc:
            failures[name] = str(exc)
        if progress is not None:
            progress(number, len(names), name)
    if not charts:
        first = next(iter(failures))
        raise SourceError(
            f"None of {len(names)} tickers has data. First: {first}: {failures[first]}"
        )
    return YahooHistory(charts, failures, entries)


def check_tickers(tickers: Sequence[str]) -> list[str]:
    """Return the tickers, or refuse what cannot be one, repeats, or is nothing."""
    names = list(tickers)
    bad = [name for name in names if _TICKER.fullmatch(name) is None]
    if bad or not names or len(set(names)) < len(names):
        raise ConfigError(f"Tickers must be distinct names such as 'BRK-B'; got {bad or names}.")
    return names


def _span(start: str, end: str | None) -> tuple[str, str]:
    """Return first day and end as ISO dates; "" for an end that is now."""
    try:
        first = pd.Timestamp(start).date().isoformat()
        last = "" if end is None else pd.Timestamp(end).date().isoformat()
    except ValueError as exc:
        raise ConfigError(f"start and end must be dates; got {start!r} and {end!r}.") from exc
    if last and last <= first:
        raise ConfigError(f"end must come after start; got {start!r} and {end!r}.")
    return first, last


def _options(span: tuple[str, str]) -> str:
    """Return the options of the command line, whose --end is the last day and not the one after."""
    if not span[1]:
        return f"--start {span[0]}"
    last = pd.Timestamp(span[1]) - pd.Timedelta(days=1)
    return f"--start {span[0]} --end {last.date().isoformat()}"


def obtain_in_turn(
    key: str,
    fetch: Callable[[], Fetched],
    *,
    command: str,
    mode: Mode | None,
    keep: Store,
    done: int,
    asked: int,
) -> Entry:
    """Return the stored answer for one of several tickers; an error says how far the call got."""
    try:
        return keep.obtain(key, fetch, command=command, mode=mode)
    except SourceError as exc:
        if done == 0:
            raise
        later = " later" if isinstance(exc, RateLimitError) else ""
        raise type(exc)(
            f"{exc} {done} of {asked} tickers are stored; call again{later} to go on."
        ) from exc


def _fetch(name: str, span: tuple[str, str]) -> Fetched:
    """Ask for the daily bars of one ticker."""
    last = pd.Timestamp(span[1]) if span[1] else pd.Timestamp.now() + pd.Timedelta(days=1)
    values = {
        "period1": str(int(pd.Timestamp(span[0]).timestamp())),
        "period2": str(int(last.timestamp())),
        "interval": "1d",
        "includePrePost": "false",
        "events": "div,splits",
    }
    path = name.replace("^", "%5E")
    fetched = ask_yahoo(f"{YAHOO_URL}{path}", values, begins=b'{"chart"')
    parse_yahoo(fetched.raw, name)
    return fetched


def ask_yahoo(url: str, values: Mapping[str, str], *, begins: bytes) -> Fetched:
    """Return one answer of Yahoo, asked through yfinance.

    Parameters
    ----------
    url : str
        Of the service.
    values : mapping of str to str
        What follows the question mark.
    begins : bytes
        How an answer of this service begins; anything else is a page about something else. For a
        ticker without data Yahoo says 404 or 400 and, in the same shape, the reason.

    Raises
    ------
    RateLimitError
        Yahoo refuses more requests.
    SourceError
        Yahoo cannot be reached, or answers otherwise.
    """
    from yfinance.data import YfData
    from yfinance.exceptions import YFException, YFRateLimitError

    try:
        answer = YfData().get(url=url, params=dict(values), timeout=30)
    except YFRateLimitError as exc:
        raise RateLimitError("Yahoo answers 429, too many requests.") from exc
    except (YFException, OSError) as exc:
        raise SourceError(f"Yahoo could not be reached at {url}: {exc}") from exc
    raw = bytes(answer.content)
    if answer.status_code == 429:
        raise RateLimitError("Yahoo answers 429, too many requests.")
    if answer.status_code not in (200, 400, 404) or not raw.lstrip().startswith(begins):
        raise SourceError(f"Yahoo answers {answer.status_code} at {url}: {raw[:60]!r}.")
    return Fetched(raw, f"{url}?{'&'.join(f'{k}={v}' for k, v in values.items())}", utc_now())


def _periods(frame: pd.DataFrame, freq: str, last: pd.Timestamp) -> pd.DataFrame:
    """Return ret, price, volume and dividends by day, week or month."""
    if freq == "D":
        ret = frame["adj_close"].pct_change()
        return pd.DataFrame(
            {
                "ret": ret,
                "price": frame["price"],
                "volume": frame["volume"],
                "dividends": frame["dividend"],
            }
        )
    by = frame.resample(_RULES[freq])
    closes = by["adj_close"].last()
    whole = pd.DataFrame(
        {
            "ret": closes / closes.shift(1) - 1.0,
            "price": by["price"].last(),
            "volume": by["volume"].sum(min_count=1),
            "dividends": by["dividend"].sum(min_count=1),
        }
    )
    # A period counts as over once the data reach its last weekday.
    business = pd.offsets.BusinessDay()
    over = [business.rollback(end) <= last for end in whole.index]
    return whole[np.array(over) & closes.notna().to_numpy()]
