from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.core import Holdings, Panel, Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import (
    BasisPoints,
    HalfSpread,
    Sizing,
    SquareRootImpact,
    capacity,
    holdings,
    legs,
    portfolio_returns,
    quantile_sort,
    run_backtest,
)
from alphastrata.portfolio.sizing import capped_weights


@pytest.fixture(scope="module")
def priced(market) -> Panel:
    rng = np.random.default_rng(9)
    n = len(market)
    spread = rng.uniform(0.0005, 0.01, n)
    spread[rng.random(n) < 0.1] = np.nan
    return market.assign(
        {
            "half_spread": spread,
            "volatility": rng.uniform(0.01, 0.04, n),
            "dollar_volume": np.exp(rng.normal(14, 1, n)),
            "beta": rng.uniform(0.5, 1.5, n),
        }
    )


ALL_COSTS = (BasisPoints(5), HalfSpread(), SquareRootImpact(0.8))


@pytest.fixture(scope="module")
def held(priced) -> Holdings:
    return holdings(quantile_sort(priced, "leverage", n=3, rebalance="Q"), priced)


def account_by_hand(held, panel, *, capital, rate, fee, leverage):
    """Cash and positions in dictionaries, from the definition."""
    frame = panel.frame
    rows = {d: g.droplevel("date") for d, g in frame.groupby("date")}
    median = frame["half_spread"].groupby("date").median()
    targets = {d: w.droplevel(["date", "portfolio"]) for d, w in held.weights.groupby("date")}
    wealth, cash, positions, cost = capital, capital, {}, 0.0
    out, started = {}, False
    for d in panel.dates:
        now = rows[d]
        if started:
            short = -sum(p for p in positions.values() if p < 0)
            interest, gain = cash * rate, 0.0
            for a in list(positions):
                if a not in now.index:
                    cash += positions.pop(a)
                    continue
                r = now.loc[a, "ret"]
                r = 0.0 if np.isnan(r) else r
                gain += positions[a] * r
                positions[a] *= 1 + r
            cash += interest - fee * short
            new = cash + sum(positions.values())
            out[d] = ((gain + interest) / wealth, (cost + fee * short) / wealth, new / wealth - 1)
            wealth, cost = new, 0.0
        if d in targets:
            started = True
            want = {a: w * leverage * wealth for a, w in targets[d].items() if a in now.index}
            for a in set(want) | set(positions):
                size = abs(want.get(a, 0.0) - positions.get(a, 0.0))
                spread = now.loc[a, "half_spread"]
                spread = median[d] if np.isnan(spread) else spread
                impact = 0.8 * now.loc[a, "volatility"] / np.sqrt(now.loc[a, "dollar_volume"])
                cost += (5e-4 + spread) * size + impact * size**1.5
            positions = want
            cash = wealth - sum(want.values()) - cost
    return pd.DataFrame(out, index=["gross", "cost", "net"]).T


def test_equals_an_account_kept_by_hand(priced, held):
    rate, fee = 0.002, 0.03
    got = run_backtest(
        held,
        priced,
        costs=ALL_COSTS,
        capital=1e5,
        risk_free=pd.Series(rate, priced.dates),
        borrow_fee=fee,
        sizing=Sizing(leverage=0.5),
    )
    want = account_by_hand(held, priced, capital=1e5, rate=rate, fee=fee / 12, leverage=0.5)
    np.testing.assert_allclose(got.gross["long_short"], want["gross"], atol=1e-13)
    np.testing.assert_allclose(got.net["long_short"], want["net"], atol=1e-13)
    total = got.trading + got.borrow
    np.testing.assert_allclose(total["long_short"], want["cost"], atol=1e-13)


@settings(max_examples=20, deadline=None)
@given(
    st.floats(0.1, 1.5),
    st.floats(0, 50),
    st.floats(0, 0.1),
    st.sampled_from([1.0, 1e4, 1e8]),
    st.sampled_from(["long_short", "long_only"]),
    st.sampled_from(["Q", None]),
)
def test_wealth_identity_on_every_date(priced, leverage, bps, fee, capital, sides, rebalance):
    strata = quantile_sort(priced, "leverage", n=2, rebalance=rebalance)
    done = run_backtest(
        holdings(strata, priced, legs=sides),
        priced,
        costs=(BasisPoints(bps), SquareRootImpact()),
        capital=capital,
        borrow_fee=fee,
        sizing=Sizing(leverage=leverage),
    )
    wealth = done.wealth
    growth = wealth.iloc[1:].to_numpy() / wealth.iloc[:-1].to_numpy() - 1.0
    known = ~np.isnan(growth)
    net = done.net.to_numpy()
    assert np.abs(growth - net)[known].max() < 1e-12
    gap = done.gross - done.trading - done.borrow - done.net
    assert np.nanmax(np.abs(gap.to_numpy())) < 1e-12
    book = done.long - done.short + done.cash + done.trading
    assert np.nanmax(np.abs(book.to_numpy() - 1.0)) < 1e-12


def test_rebalanced_every_period_without_costs_it_earns_the_portfolio_returns(market):
    strata = quantile_sort(market, "leverage", n=3)
    done = run_backtest(holdings(strata, market, legs="long_only", dates="all"), market)
    want = portfolio_returns(strata, market, weighting="value", missing="zero").frame
    both = done.gross.notna() & want.notna()
    assert both.sum().min() > 20
    assert (done.gross - want)[both].abs().max().max() < 1e-12
    assert done.kind == "total"


def test_turnover_of_drifting_holdings(market):
    strata = quantile_sort(market, "leverage", n=2, rebalance="Q")
    done = run_backtest(holdings(strata, market), market)
    quiet = ~done.traded.index.isin(strata.dates + pd.offsets.MonthEnd(1))
    assert (done.traded[quiet] == 0).to_numpy().all()
    assert done.traded.iloc[0, 0] == pytest.approx(2.0)
    assert (done.returns().turnover == 0.5 * done.traded).to_numpy().all()


def test_caps_hold_and_sums_stay():
    rng = np.random.default_rng(0)
    for _ in range(100):
        n = int(rng.integers(5, 40))
        w = rng.pareto(1.0, n) + 1e-6
        cap = float(rng.uniform(1 / n, 1))
        got = capped_weights(w, cap)
        assert got.sum() == pytest.approx(w.sum(), rel=1e-12)
        assert got.max() <= cap * w.sum() * (1 + 1e-12)
        free = got < cap * w.sum() * (1 - 1e-9)
        if free.any():  # The others keep their proportions.
            ratio = got[free] / w[free]
            assert ratio.max() == pytest.approx(ratio.min(), rel=1e-9)
    with pytest.raises(InputDataError, match="cannot hold"):
        capped_weights(np.ones(3), 0.3)


def test_beta_neutral_legs_have_a_beta_of_one(priced, held):
    done = run_backtest(held, priced, sizing=Sizing(beta="beta"))
    day = held.dates[2]
    w = held.weights.loc[day].droplevel("portfolio")
    beta = priced.at(day)["beta"].reindex(w.index)
    t = priced.dates[priced.dates.get_loc(day) + 1]
    long_beta = (w * beta)[w > 0].sum()
    short_beta = -(w * beta)[w < 0].sum()
    assert done.long.loc[t, "long_short"] == pytest.approx(1 / long_beta, rel=1e-12)
    assert done.short.loc[t, "long_short"] == pytest.approx(1 / short_beta, rel=1e-12)


def one_asset(returns, *, weight=1.0, sides="long_only", **columns):
    dates = pd.date_range("2020-01-31", periods=len(returns), freq="ME")
    rows = pd.DataFrame({"date": dates, "asset": "A", "ret": returns, **columns})
    other = rows.assign(asset="B", ret=0.0)
    weights = {(dates[0], "A", "p"): weight}
    if sides == "long_short":
        weights[dates[0], "B", "p"] = -weight
    series = pd.Series(weights)
    return Panel(pd.concat([rows, other])), Holdings(series, legs=sides)


def test_legs_without_a_beta_are_not_traded_and_counted(priced, held):
    """Betas of returns begin late: the account begins with them."""
    late = held.dates[2]
    beta = np.where(priced.dates[priced.date_codes] < late, np.nan, priced.values("beta"))
    done = run_backtest(held, priced.assign({"beta": beta}), sizing=Sizing(beta="beta"))
    assert done.wealth.index[0] == late
    assert [str(note.count) for note in done.notes if "positive beta" in note.rule] == ["2"]
    some = np.where(priced.asset_codes == 3, np.nan, priced.values("beta"))
    known = run_backtest(held, priced.assign({"beta": some}), sizing=Sizing(beta="beta"))
    mine = held.weights.index.get_level_values("asset") == priced.assets[3]
    assert [n.count for n in known.notes if n.rule == "targets without a beta"] == [mine.sum()]
    with pytest.raises(InputDataError, match="first trade.*not made"):
        run_backtest(held, priced.assign({"beta": -1.0}), sizing=Sizing(beta="beta"))


def test_an_account_that_is_ruined_ends():
    panel, held = one_asset([0.0, 2.0, 0.1], weight=-1.0, sides="long_short")
    done = run_backtest(held, panel)
    assert done.wealth["p"].tolist()[:2] == [1.0, -1.0]
    assert np.isnan(done.net["p"].iloc[1])
    assert any("wealth is gone" in n.rule for n in done.notes)


def test_an_asset_without_a_row_is_paid_out():
    panel, held = one_asset([0.0, 0.1, 0.1])
    cut = panel.where((panel.date_codes < 2) | (panel.asset_codes == 1))
    done = run_backtest(held, cut)
    assert done.wealth["p"].round(12).tolist() == [1.0, 1.1, 1.1]
    assert done.cash["p"].tolist() == [0.0, 0.0]
    assert any("paid out" in n.action for n in done.notes)


def test_targets_that_cannot_be_bought_are_counted_and_zeros_are_none(priced):
    """An asset that the panel has never heard of is left in cash, and said."""
    first, (a, b, *_) = priced.dates[0], priced.at(priced.dates[0]).index
    key = pd.MultiIndex.from_tuples([(first, a, "p"), (first, b, "p"), (first, "ghost", "p")])
    held = Holdings(pd.Series([0.5, 0.0, 0.5], index=key), legs="long_only")
    done = run_backtest(held, priced)
    assert done.cash["p"].iloc[0] == 0.5
    told = {note.rule: note.count for note in done.notes}
    assert told["targets in assets that the panel lacks"] == 1
    assert "targets in assets without a row" not in told


def test_a_rate_of_other_days_of_the_month_is_the_month_s(priced, held):
    rate = pd.Series(0.001, index=priced.dates)
    want = run_backtest(held, priced, risk_free=rate)
    early = rate.set_axis(priced.dates - pd.Timedelta(3, "D"))
    pd.testing.assert_frame_equal(run_backtest(held, priced, risk_free=early).net, want.net)
    short = run_backtest(held, priced, risk_free=rate.iloc[:-2])
    assert [n.count for n in short.notes if n.rule == "dates without a risk-free rate"] == [2]


def test_capacity_falls_with_capital(priced, held):
    curve = capacity(held, priced, costs=ALL_COSTS, capitals=[1e3, 1e5, 1e7])
    net = curve.loc["long_short", "net"]
    assert (np.diff(net.to_numpy()) < 0).all()
    cost = curve.loc["long_short", "cost"].to_numpy()
    linear = capacity(held, priced, costs=ALL_COSTS[:2], capitals=[1e3])["cost"].iloc[0]
    assert cost[0] > linear
    # The impact part grows with the root of capital, where wealth paths are alike.
    assert (cost[1] - linear) / (cost[0] - linear) == pytest.approx(10, rel=0.05)


def test_daily_accounts_drift_through_the_month(make_market):
    panel = Panel(make_market(4, periods=130, freq="B", n_assets=15, holes=0.0), freq="D")
    strata = quantile_sort(panel, "leverage", n=2, rebalance="M")
    done = run_backtest(holdings(strata, panel, legs="long_only"), panel, costs=BasisPoints(10))
    assert done.freq == "D"
    assert (done.traded["1"] > 0).sum() == len(strata.dates)


def test_the_future_does_not_reach_back(priced):
    cutoff = priced.dates[20]
    strata = quantile_sort(priced, "leverage", n=3, rebalance="Q")
    whole = run_backtest(holdings(strata, priced), priced, costs=ALL_COSTS[:1])
    short = priced.between(None, cutoff)
    part_strata = quantile_sort(short, "leverage", n=3, rebalance="Q")
    part = run_backtest(holdings(part_strata, short), short, costs=ALL_COSTS[:1])
    for field in ("net", "wealth", "traded"):
        left = getattr(whole, field)
        left = left[left.index <= cutoff]
        assert left.to_numpy().tobytes() == getattr(part, field).to_numpy().tobytes()


def test_settings_are_checked(priced, held):
    with pytest.raises(ConfigError, match="capital"):
        run_backtest(held, priced, capital=0.0)
    with pytest.raises(ConfigError, match="cost"):
        run_backtest(held, priced, costs=[0.001])
    with pytest.raises(InputDataError, match="gamma"):
        run_backtest(held, priced, sizing=Sizing(beta="gamma"))
    with pytest.raises(ConfigError, match="leverage"):
        Sizing(leverage=0.0)
    late = Strata(
        pd.DataFrame({"A000": [2]}, index=[priced.dates[-1] + pd.offsets.MonthEnd(1)]), ordered=True
    )
    with pytest.raises(InputDataError):
        legs(late, priced)


def test_a_spread_of_zero_costs_nothing(priced, held):
    """Bid and ask meet: that is a price, and no gap to be filled."""
    free = priced.assign({"half_spread": np.zeros(len(priced))})
    done = run_backtest(held, free, costs=HalfSpread())
    assert (done.trading.to_numpy() == 0.0).all()
    assert not [note for note in done.notes if "half_spread" in note.rule]
    wrong = priced.assign({"half_spread": np.full(len(priced), -0.01)})
    with pytest.raises(ConfigError, match="no non-negative value"):
        run_backtest(held, wrong, costs=HalfSpread())


def test_a_cap_that_cannot_be_met_says_whose_and_when(priced, held):
    first = held.weights.index[0][0].date()
    with pytest.raises(InputDataError, match=rf"Targets of long_short on {first}: .* max_weight"):
        run_backtest(held, priced, sizing=Sizing(max_weight=0.001))


def test_labels_without_a_later_return_say_so(priced):
    last = priced.between(priced.dates[3], priced.dates[3])
    with pytest.raises(InputDataError, match="No return follows the labels in time"):
        portfolio_returns(quantile_sort(last, "leverage", n=3), last)
