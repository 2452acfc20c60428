"""Characteristics of real data, against what the vendor printed and what pandas says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from alphastrata import features
from alphastrata.core.panel import Panel

pytestmark = pytest.mark.realdata

FIELDS = {
    "Total Current Assets": "current_assets",
    "Total Current Liabilities": "current_liabilities",
    "Inventory": "inventory",
    "Cash and Cash Equivalents": "cash",
    "Short-Term Investments": "short_term_investments",
    "Total Revenue": "sales",
    "Cost of Revenue": "cost_of_goods_sold",
    "Operating Income": "operating_income",
    "Net Income": "net_income",
    "Total Equity": "book_equity",
}


@pytest.fixture(scope="module")
def statements(real_data: Path) -> pd.DataFrame:
    raw = pd.read_csv(real_data / "nyse" / "fundamentals.csv.gz")
    keys = {"date": pd.to_datetime(raw["Period Ending"]), "asset": raw["Ticker Symbol"]}
    frame = raw.assign(**keys).drop_duplicates(["date", "asset"])
    return frame.rename(columns=FIELDS)


@pytest.mark.parametrize(
    ("name", "printed", "share"),
    [
        ("liquidity", "Current Ratio", 0.99),
        ("quick_ratio", "Quick Ratio", 0.95),
        ("cash_ratio", "Cash Ratio", 0.99),
        ("roe", "After Tax ROE", 0.99),
        ("operating_efficiency", "Gross Margin", 0.95),
        ("operating_expense_ratio", "Operating Margin", 0.99),
    ],
)
def test_ratios_agree_with_the_vendors(
    name: str, printed: str, share: float, statements: pd.DataFrame
) -> None:
    columns = ["date", "asset", *FIELDS.values()]
    panel = Panel(statements[columns], freq="D")
    got = features.compute(panel, name)
    theirs = Panel(
        statements[["date", "asset", printed]].rename(columns={printed: "vendor"}), freq="D"
    )
    both = pd.DataFrame({"ours": 100 * got.values(name), "vendor": theirs.values("vendor")})
    if name in ("operating_efficiency", "operating_expense_ratio"):
        both["ours"] = 100 - both["ours"]
    # The vendor prints whole percents without their sign, and some gross margins as zero.
    both = both.dropna().abs()
    assert len(both) > 1000
    apart = (both.ours - both.vendor).abs()
    assert (apart <= 1.0).mean() >= share, both[apart > 1.0]


def test_prices_that_stop(real_data: Path) -> None:
    raw = pd.read_parquet(real_data / "pystock" / "prices_daily.parquet")
    raw = raw.rename(columns={"symbol": "asset", "close": "price"})
    some = sorted(raw.asset.unique())[::20]
    raw = raw[raw.asset.isin(some)].drop_duplicates(["date", "asset"])
    daily = Panel(raw[["date", "asset", "price", "volume", "ret"]], freq="D")
    month = raw.date.dt.to_period("M")
    held = raw.assign(growth=1 + raw.ret.fillna(0)).groupby([month, raw.asset]).growth.prod() - 1
    held.index = pd.MultiIndex.from_arrays(
        [
            held.index.get_level_values(0).to_timestamp(how="end").normalize(),
            held.index.get_level_values(1),
        ],
        names=["date", "asset"],
    )
    panel = Panel(held.to_frame("ret"), freq="M")
    names = ["momentum", "ret_std_1d", "ret_mean_1w", "ret_std_6m", "amihud", "zero_trading_days"]
    got = features.compute(panel, names, daily=daily)
    wide = daily.wide("ret")
    rolled = wide.rolling(252, min_periods=126).std()
    last = rolled.index.searchsorted(panel.dates, side="right") - 1
    want = rolled.to_numpy()[
        last[panel.date_codes], wide.columns.get_indexer(panel.assets)[panel.asset_codes]
    ]
    fresh = (panel.dates - wide.index[last]).days[panel.date_codes] <= 10
    np.testing.assert_allclose(got.values("ret_std_1d")[fresh], want[fresh], rtol=1e-6, atol=1e-9)
    assert np.isfinite(got.values("amihud")).sum() > 500
    cut = "2016-03-31"
    broken = raw.assign(
        ret=raw.ret.where(raw.date <= cut, 9.0), volume=raw.volume.where(raw.date <= cut, 7.0)
    )
    again = features.compute(panel, names, daily=broken)
    for name in names:
        past, other = (p.between(None, cut).values(name).tobytes() for p in (got, again))
        assert past == other
