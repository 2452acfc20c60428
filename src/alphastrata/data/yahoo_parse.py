"""Yahoo's chart answers: bytes of one ticker's daily history in, a checked table out.

Yahoo adjusts closes for later splits, so its close of 2010 changes whenever the stock splits
today. Here `price` is put back to what was paid on the day, and `ret` comes from the closes that
are adjusted for splits and dividends, whose ratios do not depend on later splits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note
from alphastrata.core.shown import Shown
from alphastrata.errors import InputDataError

DISAGREEMENT = 0.005
"""Returns from adjusted closes and from closes plus dividends that differ by more are noted."""


@dataclass(frozen=True, eq=False)
class YahooChart(Shown):
    """The daily history of one ticker.

    Attributes
    ----------
    ticker, currency, exchange, timezone
        As Yahoo states them.
    frame
        Index "date" (sessions, exchange time), float64 columns: `price` (close as paid on the
        day), `close` (adjusted for splits), `adj_close` (for splits and dividends), `volume`
        (shares as traded on the day), `dividend` (per share as paid), `split` (new shares per
        old one, 1 on other days).
    notes
        What was dropped or looks wrong, counted.
    """

    ticker: str
    currency: str
    exchange: str
    timezone: str
    frame: pd.DataFrame
    notes: tuple[Note, ...]


def parse_yahoo(raw: bytes, ticker: str) -> YahooChart:
    """Return the daily history in one answer of Yahoo's chart service.

    Parameters
    ----------
    raw : bytes
        JSON of `/v8/finance/chart/<ticker>` with interval 1d and events div,splits.
    ticker : str
        The ticker that was asked for; the answer must be about it.

    Raises
    ------
    InputDataError
        Yahoo has no data (its reason is in the message), the answer is about another ticker, is
        not daily, or is no chart at all.
    """
    result = _result(raw, ticker)
    meta = result["meta"]
    if str(meta.get("symbol", "")).upper() != ticker.upper():
        raise InputDataError(f"Yahoo answers about {meta.get('symbol')!r}, not about {ticker!r}.")
    if meta.get("dataGranularity", "1d") != "1d":
        raise InputDataError(f"Yahoo's bars of {ticker} are not daily: {meta['dataGranularity']}.")
    stamps = result.get("timestamp") or []
    quote = (result.get("indicators", {}).get("quote") or [{}])[0]
    if not stamps or "close" not in quote:
        raise InputDataError(f"Yahoo has no prices of {ticker} in this range.")
    zone = str(meta.get("exchangeTimezoneName", "America/New_York"))
    closes = np.array(quote["close"], dtype=np.float64)
    adjusted = (result["indicators"].get("adjclose") or [{}])[0].get("adjclose", closes)
    frame = pd.DataFrame(
        {
            "close": closes,
            "adj_close": np.array(adjusted, dtype=np.float64),
            "volume": np.array(quote["volume"], dtype=np.float64),
        },
        index=_sessions(stamps, zone),
    )
    frame, notes = _clean(frame, ticker, meta, zone)
    if frame.empty:
        raise InputDataError(f"Yahoo has no usable price of {ticker} in this range.")
    frame = _with_events(frame, result.get("events") or {}, zone)
    disagree = _disagreement(frame)
    if disagree.any():
        rule = f"{ticker}: adjusted closes and closes plus dividends give different returns"
        first = f"date={frame.index[int(disagree.argmax())].date()}"
        notes.append(Note(rule, int(disagree.sum()), len(frame), first, "kept", "data"))
    return YahooChart(
        ticker=ticker,
        currency=str(meta.get("currency", "")),
        exchange=str(meta.get("exchangeName", "")),
        timezone=zone,
        frame=frame,
        notes=tuple(notes),
    )


def _result(raw: bytes, ticker: str) -> dict[str, Any]:
    try:
        chart = json.loads(raw)["chart"]
        error, results = chart.get("error"), chart.get("result")
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        raise InputDataError(
            f"Yahoo's answer for {ticker} is no chart: it begins {raw[:60]!r}."
        ) from exc
    if error:
        reason = error.get("description") or error.get("code")
        raise InputDataError(f"Yahoo has no data of {ticker}: {reason}")
    if not results or not isinstance(results[0], dict) or "meta" not in results[0]:
        raise InputDataError(f"Yahoo's answer for {ticker} holds no result.")
    return dict(results[0])


def _sessions(stamps: list[int], zone: str) -> pd.DatetimeIndex:
    """Return the calendar days, where the exchange is, of bars stamped in seconds."""
    moments = pd.DatetimeIndex(pd.to_datetime(np.array(stamps, dtype=np.int64), unit="s", utc=True))
    local = moments.tz_convert(zone).tz_localize(None).normalize()
    return local.as_unit("ns").rename("date")


def _clean(
    frame: pd.DataFrame, ticker: str, meta: Mapping[str, Any], zone: str
) -> tuple[pd.DataFrame, list[Note]]:
    """Return the usable bars in order, and notes on those left out."""
    notes: list[Note] = []

    def drop(bad: np.ndarray, rule: str) -> None:
        nonlocal frame
        if bad.any():
            first = f"date={frame.index[int(bad.argmax())].date()}"
            note = Note(f"{ticker}: {rule}", int(bad.sum()), len(frame), first, "dropped", "data")
            notes.append(note)
            frame = frame[~bad]

    frame = frame.sort_index(kind="stable")
    # A bar of a session that is still open is no close yet.
    period = meta.get("currentTradingPeriod", {}).get("regular", {})
    now, end = meta.get("regularMarketTime"), period.get("end")
    if now is not None and end is not None and now < end:
        today = _sessions([now], zone)[0]
        drop(np.asarray(frame.index == today), "session not over")
    drop(frame[["close", "adj_close"]].isna().any(axis=1).to_numpy(), "no close on the day")
    drop((frame[["close", "adj_close"]] <= 0).any(axis=1).to_numpy(), "close not positive")
    drop(np.asarray(frame.index.duplicated(keep="last")), "day repeated, last kept")
    return frame, notes


def _with_events(frame: pd.DataFrame, events: Mapping[str, Any], zone: str) -> pd.DataFrame:
    """Return the bars with dividends and splits, prices and volumes as they were on the day."""
    split = pd.Series(1.0, index=frame.index)
    dividend = pd.Series(0.0, index=frame.index)
    for one in (events.get("splits") or {}).values():
        at = int(frame.index.searchsorted(_sessions([one["date"]], zone)[0]))
        if at < len(frame) and float(one["denominator"]) > 0 and float(one["numerator"]) > 0:
            split.iloc[at] *= float(one["numerator"]) / float(one["denominator"])
    for one in (events.get("dividends") or {}).values():
        at = int(frame.index.searchsorted(_sessions([one["date"]], zone)[0]))
        if at < len(frame):
            dividend.iloc[at] += float(one["amount"])
    # Splits after the day, not on it: the close of the split day is already in new shares.
    later = split.to_numpy()[::-1].cumprod()[::-1] / split.to_numpy()
    return pd.DataFrame(
        {
            "price": frame["close"] * later,
            "close": frame["close"],
            "adj_close": frame["adj_close"],
            "volume": frame["volume"] / later,
            "dividend": dividend * later,
            "split": split,
        }
    )


def _disagreement(frame: pd.DataFrame) -> np.ndarray:
    """Return where the two ways to a total return differ by more than `DISAGREEMENT`."""
    close, adjusted = frame["close"].to_numpy(), frame["adj_close"].to_numpy()
    paid = frame["dividend"].to_numpy() * close / frame["price"].to_numpy()
    bad = np.zeros(len(frame), dtype=bool)
    one = adjusted[1:] / adjusted[:-1]
    other = (close[1:] + paid[1:]) / close[:-1]
    bad[1:] = np.abs(one - other) > DISAGREEMENT
    return bad
