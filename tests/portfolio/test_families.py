"""Liquidity, leverage and operating efficiency: every definition as a factor, in three ways."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import alphastrata as st
from alphastrata.portfolio import double_sort, factor, quantile_sort

FAMILIES = {
    "liquidity": ("current_ratio", "working_capital_to_assets", "cash_ratio"),
    "market_liquidity": ("amihud", "turnover", "zero_trading_days"),
    "leverage": ("leverage", "long_term_leverage", "net_leverage", "market_leverage"),
    "efficiency": (
        "operating_efficiency",
        "gross_profitability",
        "asset_turnover",
        "inventory_turnover",
    ),
}
ALL = [name for names in FAMILIES.values() for name in names]


@pytest.fixture(scope="module")
def panel() -> st.Panel:
    market = st.data.simulate_market(n_assets=80, periods=30, seed=4).panel
    days = pd.bdate_range(market.dates[0] - pd.Timedelta(days=400), market.dates[-1])
    rng = np.random.default_rng(0)
    daily = pd.DataFrame(
        {
            "ret": rng.normal(0, 0.02, len(days) * len(market.assets)),
            "price": 20.0,
            "volume": rng.poisson(2.0, len(days) * len(market.assets)) * 100.0,
        },
        index=pd.MultiIndex.from_product([days, market.assets], names=["date", "asset"]),
    )
    daily = st.Panel(daily, freq="D")
    return market.join(st.features.compute(market, ALL, daily=daily))


def test_families_and_sources():
    catalog = st.features.catalog()
    for family, names in FAMILIES.items():
        assert (catalog.loc[list(names), "family"] == family).all()
        assert (catalog.loc[list(names), "source"].str.len() > 0).all()
        assert catalog.loc[list(names), "long_side"].isin(["high", "low"]).all()


@pytest.mark.parametrize("name", ALL)
def test_every_definition_makes_three_factors(panel, name):
    long = st.features.catalog().loc[name, "long_side"]
    quintiles = quantile_sort(panel, name, n=5)
    cells = double_sort(panel, "market_cap", name, n=(2, (0.3, 0.7)))
    value = {"quantile": (quintiles, ["5"], ["1"])}
    names = list(cells.names.values())
    value["size_neutral_2x3"] = (cells, [names[2], names[5]], [names[0], names[3]])
    for method in ("size_neutral_2x3", "quantile", "rank"):
        made = factor(panel, name, method=method, long=long, name="f")
        assert np.isfinite(made.frame["f"]).sum() >= 10
        other = factor(panel, name, method=method, long="low" if long == "high" else "high")
        np.testing.assert_allclose(made.frame["f"], -other.frame[name], atol=1e-15)
        if method == "rank":
            continue
        strata, high, low = value[method]
        ports = st.portfolio.portfolio_returns(strata, panel, weighting="value").frame
        want = ports[high].mean(axis=1, skipna=False) - ports[low].mean(axis=1, skipna=False)
        sign = 1.0 if long == "high" else -1.0
        np.testing.assert_allclose(made.frame["f"], sign * want, atol=1e-14)
