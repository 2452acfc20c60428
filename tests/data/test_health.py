"""Each illness is planted once and found once; a healthy panel has none."""

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.panel import Panel
from alphastrata.data import health, simulate_market
from alphastrata.errors import InputDataError


@pytest.fixture(scope="module")
def market():
    return simulate_market(40, periods=30, seed=2).panel


def test_a_simulated_market_is_healthy(market):
    report = health(market)
    assert report.ok
    report.raise_if_unusable()
    assert {check.check for check in report.broken} <= {"split steps", "missing returns", "jumps"}
    assert report["look-ahead"].of > 500


def damaged(panel, column, rows, value):
    values = panel.values(column).copy()
    values[rows] = value
    return panel.assign({column: values})


@pytest.mark.parametrize(
    ("check", "column", "value"),
    [
        ("impossible returns", "ret", -1.5),
        ("jumps", "ret", 2.5),
        ("zero or negative prices", "price", -3.0),
        ("zero or negative prices", "price", 0.0),
        ("market caps", "market_cap", 1.0),
        ("units of accounts", "current_assets", 1e30),
        ("look-ahead", "known_age", -4.0),
        ("look-ahead", "period_end_age", 0.5),
        ("old statements", "period_end_age", 900.0),
        ("balance sheets", "total_liabilities", 1e30),
    ],
)
def test_a_planted_illness_is_found_where_it_is(market, check, column, value):
    known = np.isfinite(market.values("known_age")) & (market.values("known_age") > 1)
    row = int(np.flatnonzero(known)[200])
    before = health(market)[check].count
    report = health(damaged(market, column, [row], value))
    found = report[check]
    assert found.count == before + 1
    date = market.dates[market.date_codes[row]]
    if before == 0:
        assert found.first == (
            f"date={date:%Y-%m-%d}, asset={market.assets[market.asset_codes[row]]}"
        )
    assert check in str(report)
    if found.severity == "error":
        assert not report.ok
        with pytest.raises(InputDataError, match=r"First: date="):
            report.raise_if_unusable()


def test_returns_in_percent_are_an_error(market):
    report = health(market.assign({"ret": 100 * market.values("ret")}))
    assert not report.ok
    with pytest.raises(InputDataError, match="decimals"):
        report.raise_if_unusable()


def daily(n_assets=30, n=120, **columns):
    dates = pd.bdate_range("2015-01-01", periods=n)
    names = [f"A{i:02d}" for i in range(n_assets)]
    rng = np.random.default_rng(0)
    index = pd.MultiIndex.from_product([dates, names], names=["date", "asset"])
    ret = rng.normal(0, 0.02, (n, n_assets))
    price = 50 * np.cumprod(1 + ret, axis=0)
    return pd.DataFrame(
        {"ret": ret.ravel(), "price": price.ravel(), "volume": 100.0, **columns}, index=index
    )


def test_missing_sessions_gaps_and_reused_tickers():
    frame = daily(n=400).reset_index()
    day = frame["date"].unique()
    thin = (frame["date"] == day[50]) & (frame["asset"] > "A04")
    hole = (frame["asset"] == "A03") & frame["date"].between(day[100], day[101])
    reused = (frame["asset"] == "A02") & frame["date"].between(day[60], day[350])
    report = health(Panel(frame[~(thin | hole | reused)]))
    assert report["missing sessions"].count == 1
    assert f"{day[50]:%Y-%m-%d}" in report["missing sessions"].first
    assert report["reused tickers"].count == 1
    assert report["reused tickers"].first.endswith("A02")
    assert report["gaps"].count == 25 + 1


def test_stale_prices_without_volume():
    frame = daily()
    still = (slice("2015-03-02", "2015-03-13"), "A05")
    frame.loc[still, "price"] = 7.0
    frame.loc[still, "ret"] = 0.0
    frame.loc[still, "volume"] = 0.0
    report = health(Panel(frame))
    assert report["stale prices"].count == 10
    assert report["stale prices"].first == "date=2015-03-02, asset=A05"
    frame.loc[still, "volume"] = 10.0
    assert health(Panel(frame))["stale prices"].count <= 1


def test_splits_with_and_without_adjusted_returns():
    frame = daily(shares=1e6)
    after = frame.index.get_level_values("date") >= "2015-03-02"
    mine = frame.index.get_level_values("asset") == "A07"
    frame.loc[after & mine, "price"] /= 2
    frame.loc[after & mine, "shares"] *= 2
    adjusted = health(Panel(frame))
    assert adjusted["split steps"].count == 1
    assert adjusted["unadjusted splits"].count == 0
    step = frame.loc[(pd.Timestamp("2015-03-02"), "A07"), "ret"]
    frame.loc[(pd.Timestamp("2015-03-02"), "A07"), "ret"] = (1 + step) / 2 - 1
    raw = health(Panel(frame))
    assert raw["split steps"].count == 0
    assert raw["unadjusted splits"].count == 1
    assert raw["unadjusted splits"].first == "date=2015-03-02, asset=A07"


def test_survivors_are_noticed():
    frame = daily(n=900)
    assert health(Panel(frame))["survivorship"].count == 1
    one_stops = frame.drop(index=[i for i in frame.index if i[1] == "A01"][500:])
    assert health(Panel(one_stops))["survivorship"].count == 0


def test_mixed_currencies_are_an_error():
    frame = daily(n=20)
    frame["currency"] = "USD"
    assert health(Panel(frame)).ok
    frame.iloc[7, frame.columns.get_loc("currency")] = "EUR"
    report = health(Panel(frame))
    assert report["currency mix"].count == 1
    assert not report.ok


def test_report_reads_well(market):
    report = health(market)
    table = report.table()
    assert list(table.columns) == ["severity", "count", "of", "first", "rule", "remedy"]
    assert table["severity"].tolist() == sorted(
        table["severity"], key=["error", "warning", "info"].index
    )
    assert "checks" in repr(report)
    assert "<table" in report._repr_html_()
    with pytest.raises(KeyError):
        report["flu"]
    tiny = health(Panel(pd.DataFrame({"date": ["2015-01-31"], "asset": ["A"], "x": [1.0]})))
    assert "nothing found" in str(tiny.summary())
