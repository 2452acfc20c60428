"""Yahoo: yfinance's own code against a local server, the parser, the panel."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd
import pytest

from alphastrata.data.store import Store
from alphastrata.data.yahoo import SURVIVORS, yahoo, yahoo_history
from alphastrata.data.yahoo_parse import parse_yahoo
from alphastrata.errors import (
    ConfigError,
    InputDataError,
    OfflineError,
    RateLimitError,
    SourceError,
)

NEW_YORK = "America/New_York"


def stamp(day: str) -> int:
    return int(pd.Timestamp(f"{day} 09:30", tz=NEW_YORK).timestamp())


def chart(
    ticker: str,
    days: pd.DatetimeIndex,
    traded: np.ndarray,
    *,
    dividends: dict[str, float] | None = None,
    splits: dict[str, tuple[float, float]] | None = None,
    meta: dict[str, Any] | None = None,
) -> bytes:
    """Return what Yahoo would serve for prices as traded, dividends as paid, and splits."""
    later = np.ones(len(days))
    for day, (new, old) in (splits or {}).items():
        later[days < pd.Timestamp(day)] *= new / old
    close = traded / later
    adjusted = close.copy()
    for day, paid in (dividends or {}).items():
        at = days.get_loc(pd.Timestamp(day))
        adjusted[:at] *= 1 / (1 + paid / later[at] / close[at])
    events: dict[str, Any] = {}
    if dividends:
        events["dividends"] = {
            str(stamp(d)): {"amount": a / later[days.get_loc(pd.Timestamp(d))], "date": stamp(d)}
            for d, a in dividends.items()
        }
    if splits:
        events["splits"] = {
            str(stamp(d)): {"date": stamp(d), "numerator": n, "denominator": o}
            for d, (n, o) in splits.items()
        }
    quote = {
        "open": close.tolist(),
        "high": close.tolist(),
        "low": close.tolist(),
        "close": close.tolist(),
        "volume": (1000 * later).tolist(),
    }
    body = {
        "meta": {
            "symbol": ticker,
            "currency": "USD",
            "exchangeName": "NMS",
            "exchangeTimezoneName": NEW_YORK,
            "dataGranularity": "1d",
            **(meta or {}),
        },
        "timestamp": [stamp(str(d.date())) for d in days],
        "events": events,
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted.tolist()}]},
    }
    return json.dumps({"chart": {"result": [body], "error": None}}).encode()


UNKNOWN = (
    b'{"chart":{"result":null,"error":{"code":"Not Found","description":"No data found, symbol '
    b'may be delisted"}}}'
)
DAYS = pd.bdate_range("2020-01-02", "2020-04-15")
TRADED = 100 * np.cumprod(1 + np.random.default_rng(0).normal(0, 0.01, len(DAYS)))
TRADED[DAYS >= "2020-03-02"] /= 4
SPLIT = {"2020-03-02": (4.0, 1.0)}
PAID = {"2020-02-10": 0.8, "2020-04-06": 0.2}


def test_prices_are_put_back_to_the_day() -> None:
    got = parse_yahoo(chart("AAA", DAYS, TRADED, dividends=PAID, splits=SPLIT), "AAA")
    np.testing.assert_allclose(got.frame["price"], TRADED, rtol=1e-12)
    np.testing.assert_allclose(got.frame["volume"], 1000.0)
    assert got.frame["dividend"][got.frame["dividend"] > 0].round(9).tolist() == [0.8, 0.2]
    assert got.frame.index.equals(DAYS.rename("date").as_unit("ns"))
    assert got.notes == ()
    assert (got.currency, got.timezone) == ("USD", NEW_YORK)


def test_returns_are_total_returns() -> None:
    got = parse_yahoo(chart("AAA", DAYS, TRADED, dividends=PAID, splits=SPLIT), "AAA").frame
    ret = got["adj_close"].pct_change().to_numpy()[1:]
    shares = got["split"].to_numpy()[1:]
    price, paid = got["price"].to_numpy(), got["dividend"].to_numpy()
    # Dividends adjust by 1 / (1 + d / p), so the match is exact here.
    expected = (price[1:] * shares + paid[1:] * shares) / price[:-1] - 1
    np.testing.assert_allclose(ret, expected, rtol=1e-9, atol=1e-12)


def test_a_split_tomorrow_changes_no_price_of_today() -> None:
    before = parse_yahoo(chart("AAA", DAYS[:40], TRADED[:40], dividends=None), "AAA").frame
    after = parse_yahoo(chart("AAA", DAYS, TRADED, splits=SPLIT), "AAA").frame.iloc[:40]
    np.testing.assert_allclose(before["price"], after["price"], rtol=1e-12)
    np.testing.assert_allclose(before["volume"], after["volume"], rtol=1e-12)
    assert not np.allclose(before["close"], after["close"])


def test_what_is_no_close_is_dropped_and_counted() -> None:
    answer = json.loads(chart("AAA", DAYS, TRADED))
    result = answer["chart"]["result"][0]
    quote = result["indicators"]["quote"][0]
    quote["close"][3] = None
    quote["close"][5] = 0.0
    result["timestamp"][-1] = result["timestamp"][-2]
    result["meta"] |= {
        "regularMarketTime": stamp(str(DAYS[-2].date())) + 60,
        "currentTradingPeriod": {"regular": {"end": stamp(str(DAYS[-2].date())) + 23400}},
    }
    got = parse_yahoo(json.dumps(answer).encode(), "AAA")
    text = [str(note) for note in got.notes]
    assert "session not over: 2 of" in text[0]
    assert "no close on the day: 1 of" in text[1]
    assert "close not positive: 1 of" in text[2]
    assert len(got.frame) == len(DAYS) - 4


def test_a_dividend_that_the_adjusted_closes_forgot_is_noted() -> None:
    answer = json.loads(chart("AAA", DAYS, TRADED))
    at = stamp("2020-02-10")
    answer["chart"]["result"][0]["events"] = {"dividends": {"x": {"amount": 5.0, "date": at}}}
    (note,) = parse_yahoo(json.dumps(answer).encode(), "AAA").notes
    assert note.count == 1
    assert note.first == "date=2020-02-10"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<html>", "is no chart"),
        (b'{"chart": null}', "is no chart"),
        (b'{"chart": {"result": [], "error": null}}', "holds no result"),
        (UNKNOWN, "No data found, symbol may be delisted"),
        (chart("BBB", DAYS, TRADED), "answers about 'BBB'"),
        (chart("AAA", DAYS, TRADED, meta={"dataGranularity": "1mo"}), "not daily"),
        (chart("AAA", DAYS[:0], TRADED[:0]), "no prices"),
        (chart("AAA", DAYS[:2], -TRADED[:2]), "no usable price"),
    ],
)
def test_answers_without_prices_are_errors(raw: bytes, message: str) -> None:
    with pytest.raises(InputDataError, match=message):
        parse_yahoo(raw, "AAA")


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # yfinance's, not ours
def test_yfinance_reads_the_same_bars() -> None:
    utils = pytest.importorskip("yfinance.utils")
    raw = chart("AAA", DAYS, TRADED, dividends=PAID, splits=SPLIT)
    theirs = utils.parse_quotes(json.loads(raw)["chart"]["result"][0])
    ours = parse_yahoo(raw, "AAA").frame
    np.testing.assert_array_equal(ours["close"], theirs["Close"])
    np.testing.assert_array_equal(ours["adj_close"], theirs["Adj Close"])


class Yahoo:
    """A local stand-in for Yahoo's chart service, asked through yfinance."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.answers: dict[str, bytes] = {}
        site.pages = self

    def get(self, path: str, default: object) -> bytes | tuple[int, bytes]:
        name = unquote(urlsplit(path).path.rsplit("/", 1)[-1])
        return self.answers.get(name, (404, UNKNOWN))


@pytest.fixture
def server(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yahoo:
    yfinance_data = import_module("yfinance.data")
    # The cookie and crumb come from other hosts; the chart service works without them.
    monkeypatch.setattr(
        yfinance_data.YfData, "_get_cookie_and_crumb", lambda self, timeout=30: (None, "basic")
    )
    monkeypatch.setattr(import_module("alphastrata.data.yahoo"), "YAHOO_URL", f"{site.url}/chart/")
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "cache"))
    running = Yahoo(site)
    running.answers = {
        "AAA": chart("AAA", DAYS, TRADED, dividends=PAID, splits=SPLIT),
        "BRK-B": chart("BRK-B", DAYS[:50], TRADED[:50]),
    }
    return running


def test_a_panel_with_partial_failure(server: Yahoo, site: Any) -> None:
    seen: list[str] = []
    panel = yahoo(
        ["AAA", "GONE", "BRK-B"],
        start="2020-01-01",
        end="2020-04-16",
        progress=lambda done, total, name: seen.append(f"{done}/{total} {name}"),
    )
    assert seen == ["1/3 AAA", "2/3 GONE", "3/3 BRK-B"]
    assert list(panel.assets) == ["AAA", "BRK-B"]
    assert panel.freq == "D"
    assert panel.columns == ["ret", "price", "volume", "dividends"]
    assert SURVIVORS in panel.notes
    failed = [note for note in panel.notes if note.first == "asset=GONE"]
    assert [note.action for note in failed] == ["left out"]
    assert "symbol may be delisted" in failed[0].rule
    assert np.isnan(panel.wide("ret").iloc[0]).all()
    assert "period1=1577836800" in site.asked[0]
    history = yahoo_history(["AAA", "BRK-B"], start="2020-01-01", end="2020-04-16", mode="offline")
    assert history.entries["AAA"].url.endswith("events=div,splits")
    assert len(site.asked) <= 4


def test_an_index_has_a_path_too(server: Yahoo) -> None:
    server.answers["^GSPC"] = chart("^GSPC", DAYS, TRADED)
    assert list(yahoo(["^GSPC"], start="2020-01-01").assets) == ["^GSPC"]


def test_months_compound_the_days(server: Yahoo) -> None:
    daily = yahoo(["AAA", "BRK-B"], start="2020-01-01", end="2020-04-16")
    monthly = yahoo(["AAA", "BRK-B"], start="2020-01-01", end="2020-04-16", freq="M")
    ret = daily.wide("ret")["AAA"]
    compounded = (1 + ret).resample("ME").prod() - 1
    got = monthly.wide("ret")["AAA"]
    assert got.index.tolist() == [
        pd.Timestamp(d) for d in ("2020-01-31", "2020-02-29", "2020-03-31")
    ]
    assert np.isnan(got.iloc[0])
    np.testing.assert_allclose(got.iloc[1:], compounded.iloc[1:3], rtol=1e-12)
    assert monthly.wide("volume")["AAA"].iloc[0] == 1000 * (DAYS < "2020-02-01").sum()
    weekly = yahoo(["AAA"], start="2020-01-01", end="2020-04-16", freq="W")
    assert weekly.dates[-1] == pd.Timestamp("2020-04-10")
    assert (weekly.dates.day_of_week == 4).all()


def test_a_dead_network_is_an_error(server: Yahoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        import_module("alphastrata.data.yahoo"), "YAHOO_URL", "http://127.0.0.1:9/chart/"
    )
    with pytest.raises(SourceError, match="could not be reached at http"):
        yahoo(["AAA"], start="2020-01-01")


def test_offline_and_resuming(server: Yahoo, site: Any) -> None:
    yahoo_history(["AAA"], start="2020-01-01", end="2020-04-16")
    asked = len(site.asked)
    with pytest.raises(OfflineError, match="1 of 2 tickers are stored; call again"):
        yahoo(["AAA", "BRK-B"], start="2020-01-01", end="2020-04-16", mode="offline")
    yahoo(["AAA", "BRK-B"], start="2020-01-01", end="2020-04-16")
    assert len(site.asked) == asked + 1


def test_a_rate_limit_says_how_far_it_got(server: Yahoo, monkeypatch: pytest.MonkeyPatch) -> None:
    yfinance_data = import_module("yfinance.data")
    real = yfinance_data.YfData.get

    def get(self: Any, url: str, **options: Any) -> Any:
        if url.endswith("BRK-B"):
            raise import_module("yfinance.exceptions").YFRateLimitError()
        return real(self, url=url, **options)

    monkeypatch.setattr(yfinance_data.YfData, "get", get)
    with pytest.raises(RateLimitError, match="1 of 2 tickers are stored"):
        yahoo(["AAA", "BRK-B"], start="2020-01-01")


def test_no_ticker_with_data_is_an_error(server: Yahoo) -> None:
    with pytest.raises(
        SourceError, match="None of 1 tickers has data. First: NONE: .*No data found"
    ):
        yahoo(["NONE"], start="2020-01-01")
    assert Store().keys() == []


@pytest.mark.parametrize(
    ("tickers", "options"),
    [
        ([], {}),
        (["A", "A"], {}),
        (["../x"], {}),
        (["A"], {"end": "2019-01-01"}),
        (["A"], {"end": "tomorrow-ish"}),
    ],
)
def test_odd_requests_are_refused(tickers: list[str], options: dict[str, str]) -> None:
    with pytest.raises(ConfigError):
        yahoo(tickers, start="2020-01-01", **options)  # type: ignore[arg-type]
