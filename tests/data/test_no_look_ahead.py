"""Corrupting every raw row known after t leaves the panel up to t as it is, bit for bit."""

import shutil

import numpy as np
import pandas as pd
import pytest

from alphastrata.data import as_of, read_panel, simulate_market


def past(panel, t):
    """Every bit of the panel up to t."""
    frame = panel.frame.loc[:t]
    bits = {}
    for name in frame.columns:
        column = frame[name]
        bits[name] = (
            column.astype(str).to_numpy("U20").tobytes()
            if isinstance(column.dtype, pd.CategoricalDtype)
            else column.to_numpy(np.float64).tobytes()
        )
    bits["index"] = frame.index.to_frame().astype(str).to_numpy("U20").tobytes()
    return bits


def same_past(before, after, t):
    assert list(before.columns) == list(after.columns)
    one, two = past(before, t), past(after, t)
    assert len(before.frame.loc[:t]) > 100
    for name in one:
        assert one[name] == two[name], f"{name} up to {t.date()} changed"


def scrambled(table, later, rng, numbers):
    """The table with every number of the later rows replaced, and some of those rows gone."""
    table = table.copy()
    for name in numbers:
        values = table[name].to_numpy(dtype=np.float64, copy=True)
        values[later] = rng.lognormal(10, 5, later.sum()) * rng.choice([-1, 1], later.sum())
        table[name] = values
    gone = later & (rng.random(len(table)) < 0.3)
    return table[~gone].sample(frac=1.0, random_state=1)


def test_simulated_statements():
    market = simulate_market(60, periods=36, seed=2)
    own = ["ret", "price", "volume", "shares", "market_cap"]
    prices, table = market.panel.select(own), market.statements
    t = market.panel.dates[17]
    later = (table["known_at"] > t).to_numpy()
    rng = np.random.default_rng(0)
    numbers = table.select_dtypes("number").columns
    damaged = scrambled(table, later, rng, numbers)
    # Restatements of all kinds of periods, old ones too, that become known after t.
    extra = table.sample(200, random_state=2)
    extra = extra.assign(known_at=t + pd.to_timedelta(rng.integers(1, 600, 200), unit="D"))
    extra = extra[extra["known_at"] >= extra["period_end"]]
    damaged = pd.concat([damaged, extra]).drop_duplicates(["asset", "period_end", "known_at"])
    assert later.sum() > 300
    same_past(as_of(prices, table), as_of(prices, damaged), t)
    assert not as_of(prices, table).frame.equals(as_of(prices, damaged).frame)


def test_simulated_returns_do_not_know_later_statements():
    """What is planted in month t+1 depends on what was known at t and on nothing later."""
    market = simulate_market(80, periods=24, seed=4)
    truth = market.truth
    known = market.statements.sort_values("known_at").groupby(["asset", "period_end"]).first()
    shown = market.panel.frame.loc[truth.z.index]
    age = shown["known_age"]
    assert (age >= 0).all()
    assert (known["known_at"] >= known.index.get_level_values("period_end")).all()


@pytest.mark.realdata
@pytest.mark.parametrize("freq", ["M", "D"])
def test_pystock_files(real_data, tmp_path, freq):
    source = real_data / "pystock"
    prices = pd.read_parquet(source / "prices_daily.parquet")
    reports = pd.read_parquet(source / "reports.parquet")
    keep = sorted(prices["symbol"].unique())[::6]
    prices = prices[prices["symbol"].isin(keep)].reset_index(drop=True)
    reports = reports[reports["symbol"].isin(keep)].reset_index(drop=True)
    t = pd.Timestamp("2016-04-29") if freq == "D" else pd.Timestamp("2016-04-30")
    rng = np.random.default_rng(0)
    for folder in ("before", "after"):
        (tmp_path / folder).mkdir()
    prices.to_parquet(tmp_path / "before" / "prices_daily.parquet")
    reports.to_parquet(tmp_path / "before" / "reports.parquet")

    later = (prices["date"] > t).to_numpy()
    damaged = scrambled(prices, later, rng, ["close", "volume", "ret"])
    damaged["close"] = damaged["close"].abs()
    damaged.to_parquet(tmp_path / "after" / "prices_daily.parquet")
    later = (reports["archive_date"] > t).to_numpy()
    damaged = scrambled(reports, later, rng, reports.select_dtypes("float").columns)
    extra = reports[~later].sample(300, random_state=3)
    days = pd.to_timedelta(rng.integers(1, 300, len(extra)), unit="D")
    extra = extra.assign(archive_date=t + days, amend="True", assets=1.0, doc_type="10-K")
    pd.concat([damaged, extra]).to_parquet(tmp_path / "after" / "reports.parquet")

    before = read_panel(tmp_path / "before", freq=freq)
    after = read_panel(tmp_path / "after", freq=freq)
    same_past(before, after, t)


@pytest.mark.realdata
def test_nyse_files(real_data, tmp_path):
    source = real_data / "nyse"
    for folder in ("before", "after"):
        (tmp_path / folder).mkdir()
        shutil.copy(source / "securities.csv", tmp_path / folder)
    prices = pd.read_parquet(source / "prices_daily.parquet")
    keep = sorted(prices["Ticker"].unique())[::8]
    prices = prices[prices["Ticker"].isin(keep)].reset_index(drop=True)
    table = pd.read_csv(source / "fundamentals.csv.gz", keep_default_na=False)
    table = table[table["Ticker Symbol"].isin(keep)].reset_index(drop=True)
    prices.to_parquet(tmp_path / "before" / "prices_daily.parquet")
    table.to_csv(tmp_path / "before" / "fundamentals.csv.gz", index=False)
    t, rng = pd.Timestamp("2014-10-31"), np.random.default_rng(0)
    later = (prices["Date"] > t).to_numpy()
    damaged = prices.assign(Volume=prices["Volume"].astype(float))
    damaged = scrambled(damaged, later, rng, ["Close", "Volume"])
    damaged["Close"] = damaged["Close"].abs()
    damaged.to_parquet(tmp_path / "after" / "prices_daily.parquet")
    known = pd.to_datetime(table["Period Ending"]) + pd.DateOffset(months=4)
    later = (known > t).to_numpy()
    numbers = [c for c in table.columns if c not in ("Ticker Symbol", "Period Ending")]
    damaged = table.copy()
    for name in numbers:
        values = pd.to_numeric(damaged[name], errors="coerce").to_numpy(np.float64, copy=True)
        values[later] = rng.lognormal(10, 5, later.sum())
        damaged[name] = values
    damaged.to_csv(tmp_path / "after" / "fundamentals.csv.gz", index=False)
    before, after = (read_panel(tmp_path / folder, lag="4M") for folder in ("before", "after"))
    same_past(before, after, t)
