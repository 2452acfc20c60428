"""Yahoo's statements: parsed, dated by a declared lag or refused."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from alphastrata import data
from alphastrata.core.panel import Panel
from alphastrata.data.yahoo_statements import parse_timeseries, yahoo_statements
from alphastrata.errors import ConfigError, InputDataError, LookAheadError, SourceError

ENDS = ["2021-09-30", "2022-09-30", "2023-09-30"]
ITEMS = {
    "TotalAssets": [100.0, 110.0, 120.0],
    "CurrentAssets": [50.0, None, 60.0],
    "AccountsReceivable": [5.0, 6.0, 7.0],
    "CapitalExpenditure": [-8.0, -9.0, -10.0],
    "DilutedEPS": [1.5, 1.6, 1.7],
}


def series(ticker: str = "AAA", prefix: str = "annual", currency: str = "USD") -> bytes:
    results = []
    for item, figures in ITEMS.items():
        points = [
            None
            if value is None
            else {"asOfDate": end, "currencyCode": currency, "reportedValue": {"raw": value}}
            for end, value in zip(ENDS, figures, strict=True)
        ]
        kind = prefix + item
        results.append({"meta": {"symbol": [ticker], "type": [kind]}, kind: points})
    results.append({"meta": {"symbol": [ticker], "type": [prefix + "Inventory"]}})
    return json.dumps({"timeseries": {"result": results, "error": None}}).encode()


def test_figures_by_period() -> None:
    table = parse_timeseries(series(), "AAA")
    assert table["period_end"].tolist() == [pd.Timestamp(end) for end in ENDS]
    assert table["total_assets"].tolist() == [100.0, 110.0, 120.0]
    np.testing.assert_array_equal(table["current_assets"], [50.0, np.nan, 60.0])
    assert table["receivables"].tolist() == [5.0, 6.0, 7.0]
    assert table["capital_expenditures"].tolist() == [8.0, 9.0, 10.0]
    assert table["inventory"].isna().all()


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"<html>", "no time series"),
        (b'{"timeseries": 1}', "no time series"),
        (b'{"timeseries": {"result": []}}', "shows no annual statements"),
        (series("BBB"), "answers about 'BBB'"),
    ],
)
def test_other_answers_are_refused(raw: bytes, message: str) -> None:
    with pytest.raises(InputDataError, match=message):
        parse_timeseries(raw, "AAA")


def test_two_currencies_are_refused() -> None:
    body = json.loads(series())
    body["timeseries"]["result"][0]["annualTotalAssets"][0]["currencyCode"] = "TWD"
    with pytest.raises(InputDataError, match="mix TWD, USD"):
        parse_timeseries(json.dumps(body).encode(), "AAA")


class Pages:
    """Answers by ticker, as the service would."""

    def get(self, path: str, default: object) -> bytes | tuple[int, bytes]:
        parts = urlsplit(path)
        ticker = parts.path.rsplit("/", 1)[-1]
        kind = parse_qs(parts.query)["type"][0]
        if ticker == "GONE":
            return 404, b'{"timeseries":{"result":[],"error":null}}'
        return series(ticker, "quarterly" if kind.startswith("quarterly") else "annual")


@pytest.fixture
def yahoo(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(
        import_module("yfinance.data").YfData,
        "_get_cookie_and_crumb",
        lambda self, timeout=30: (None, "basic"),
    )
    module = import_module("alphastrata.data.yahoo_statements")
    monkeypatch.setattr(module, "TIMESERIES_URL", f"{site.url}/timeseries/")
    monkeypatch.setenv("ALPHASTRATA_CACHE", str(tmp_path / "cache"))
    site.pages = Pages()
    return site


def test_without_a_lag_they_are_refused(yahoo: Any) -> None:
    with pytest.raises(LookAheadError, match="Declare a lag"):
        yahoo_statements(["AAA"], lag=None)
    assert yahoo.asked == []


def test_statements_join_prices_after_the_lag(yahoo: Any) -> None:
    got = yahoo_statements(["AAA", "GONE", "BBB"], lag="4M")
    assert set(got.table["asset"]) == {"AAA", "BBB"}
    assert "shows no annual statements" in got.failures["GONE"]
    assert "declared, no filing dates" in str(got.notes[0])
    dates = pd.to_datetime(["2022-01-30", "2022-01-31", "2023-01-31"])
    prices = Panel(pd.DataFrame({"date": dates, "asset": "AAA", "ret": 0.0}), freq="D")
    joined = data.as_of(prices, got.table)
    np.testing.assert_array_equal(joined.values("total_assets"), [np.nan, 100.0, 110.0])
    asked = len(yahoo.asked)
    again = yahoo_statements(["AAA", "BBB"], lag="4M", mode="offline")
    pd.testing.assert_frame_equal(again.table, got.table)
    assert len(yahoo.asked) == asked
    quarters = yahoo_statements(["AAA"], lag=60, period="quarterly")
    assert quarters.table["known_at"].iloc[0] == pd.Timestamp("2021-11-29")


def test_odd_requests(yahoo: Any) -> None:
    with pytest.raises(ConfigError, match="annual or quarterly"):
        yahoo_statements(["AAA"], lag="4M", period="ttm")  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="No company has statements"):
        yahoo_statements(["GONE"], lag="4M")
