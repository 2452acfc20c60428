from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import (
    Capped,
    Overlapping,
    Ranked,
    Soft,
    holdings,
    long_short,
    portfolio_returns,
    quantile_sort,
)


def as_dict(strata: Strata) -> dict:
    out: dict = {}
    for (date, asset), label in strata.labels.items():
        out.setdefault(date, {})[asset] = int(label)
    return out


def compare(returns, expected, tolerance=1e-13):
    seen = 0
    for (date, k), want in expected.items():
        got = returns.frame.loc[date, str(k)]
        assert (got != got and want != want) or abs(got - want) < tolerance, (date, k, got, want)
        seen += 1
    assert seen
    assert returns.frame.notna().sum().sum() == sum(v == v for v in expected.values())


@pytest.mark.parametrize("weight", ["equal", "value"])
@pytest.mark.parametrize("missing", ["renormalise", "zero"])
@pytest.mark.parametrize("rebalance", [None, 6, "Q"])
def test_equals_the_rule_in_plain_python(make_market, brute, weight, missing, rebalance):
    frame = make_market(3)
    panel = Panel(frame, freq="M")
    strata = quantile_sort(panel, "signal", n=3, rebalance=rebalance)
    got = portfolio_returns(strata, panel, weighting=weight, missing=missing)
    column = "equal" if weight == "equal" else "market_cap"
    compare(got, brute(as_dict(strata), frame, panel.dates, weight=column, missing=missing))


def test_a_daily_panel_meets_labels_formed_at_month_ends(make_market, brute):
    frame = make_market(4, periods=130, freq="B", n_assets=15)
    panel = Panel(frame, freq="D")
    monthly = panel.dates.to_series().groupby([panel.dates.year, panel.dates.month]).max()
    rng = np.random.default_rng(0)
    # Calendar month ends, which are often no trading days.
    ends = pd.DatetimeIndex(monthly) + pd.offsets.MonthEnd(0)
    wide = pd.DataFrame(rng.integers(1, 3, (len(ends), 15)), index=ends, columns=panel.assets)
    strata = Strata(wide, ordered=True)
    got = portfolio_returns(strata, panel, weighting="value")
    compare(got, brute(as_dict(strata), frame, panel.dates))


def test_labels_formed_inside_a_period_do_not_earn_it(market):
    """Labels of 30 January know most of January; they earn February."""
    wide = quantile_sort(market, "leverage", n=2).wide()
    inside = wide.copy()
    inside.index = wide.index - pd.Timedelta(days=2)
    want = portfolio_returns(Strata(wide, ordered=True), market, weighting="value").frame
    got = portfolio_returns(Strata(inside, ordered=True), market, weighting="value").frame
    assert got.index.equals(want.index)
    assert got.to_numpy().tobytes() == want.to_numpy().tobytes()
    held = holdings(Strata(inside, ordered=True), market, legs="long_only", dates="all")
    other = holdings(Strata(wide, ordered=True), market, legs="long_only", dates="all")
    pd.testing.assert_series_equal(held.weights, other.weights)


def test_a_month_end_between_trading_days_earns_the_next_day():
    days = pd.to_datetime(["2020-02-27", "2020-02-28", "2020-03-02", "2020-03-03"])
    panel = Panel(pd.DataFrame({"date": days, "asset": "A", "ret": [0.0, 0.1, 0.2, 0.3]}), freq="D")
    strata = Strata(pd.DataFrame({"A": [1]}, index=pd.to_datetime(["2020-02-29"])), ordered=True)
    assert portfolio_returns(strata, panel).frame["1"].tolist() == [0.2, 0.3]
    held = holdings(strata, panel, weighting="equal", legs="long_only")
    assert held.dates.tolist() == [days[1]]


@pytest.mark.parametrize("hold", [1, 4, 30])
def test_hold_ends_the_life_of_labels(make_market, brute, hold):
    frame = make_market(5)
    panel = Panel(frame, freq="M")
    strata = quantile_sort(panel, "leverage", n=2, rebalance="Q")
    got = portfolio_returns(strata, panel, weighting="value", hold=hold)
    compare(got, brute(as_dict(strata), frame, panel.dates, hold=hold))


def test_overlapping_cohorts_are_the_mean_of_cohorts(market):
    strata = quantile_sort(market, "leverage", n=3)
    got = portfolio_returns(strata, market, hold=Overlapping(4)).frame
    wide = market.wide("ret")
    has_row = market.wide("industry").notna()
    labels = strata.wide().astype(float)
    for date in got.index:
        t = market.dates.get_loc(date)
        formed = labels.index[labels.index < date][-4:]
        there = has_row.iloc[t - 1].to_numpy()
        for k in (1, 2, 3):
            cohorts = []
            for f in formed:
                member = labels.loc[f].reindex(wide.columns).eq(k).to_numpy() & there
                earned = wide.iloc[t][member].dropna()
                if len(earned):  # A cohort without a return leaves the mean to the others.
                    cohorts.append(earned.mean())
            assert got.loc[date, str(k)] == pytest.approx(np.mean(cohorts), abs=1e-14)
    assert got.index[0] == strata.dates[3] + pd.offsets.MonthEnd(1)


def test_one_missing_return_never_makes_a_portfolio_missing():
    dates = pd.to_datetime(["2020-01-31", "2020-02-29"])
    rows = [(d, a, r, 1.0) for d, rets in zip(dates, ([0, 0, 0], [0.1, np.nan, -1.0]))
            for a, r in zip("ABC", rets)]  # fmt: skip
    panel = Panel(pd.DataFrame(rows, columns=["date", "asset", "ret", "market_cap"]))
    strata = Strata(pd.DataFrame({a: [1] for a in "ABC"}, index=dates[:1]), ordered=True)
    for policy, want in (("renormalise", (0.1 - 1.0) / 2), ("zero", (0.1 - 1.0) / 3)):
        got = portfolio_returns(strata, panel, missing=policy)
        assert got.frame.iloc[0, 0] == pytest.approx(want, abs=1e-15)
        assert got.counts.iloc[0, 0] == 2
        assert any(n.count == 1 and "without a return" in n.rule for n in got.notes)


def test_a_total_loss_reaches_the_portfolio():
    dates = pd.to_datetime(["2020-01-31", "2020-02-29"])
    panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": [0.0, -1.0]}))
    strata = Strata(pd.DataFrame({"A": [1]}, index=dates[:1]), ordered=True)
    assert portfolio_returns(strata, panel).frame.iloc[0, 0] == -1.0


def outputs(panel):
    annual = quantile_sort(panel, "leverage", n=3, breakpoints="NYSE", rebalance=6)
    monthly = quantile_sort(panel, "signal", n=3, min_assets=6)
    return [
        monthly.wide().astype(float),
        portfolio_returns(annual, panel, weighting="value").frame,
        portfolio_returns(monthly, panel, weighting=Capped(0.8), hold=Overlapping(3)).frame,
        long_short(monthly, panel, name="f").frame,
        long_short(monthly, panel, name="f").turnover,
    ]


def same_bits(left: pd.DataFrame, right: pd.DataFrame) -> None:
    assert left.index.equals(right.index)
    assert left.to_numpy().tobytes() == right.to_numpy().tobytes()


@pytest.mark.parametrize("cut", [8, 15, 19, 25])
def test_what_comes_after_t_changes_no_bit_up_to_t(make_market, cut):
    frame = make_market(6, n_assets=120)
    t = np.sort(frame["date"].unique())[cut]
    rng = np.random.default_rng(1)
    corrupt = frame.copy()
    after = corrupt["date"] > t
    for column in ("ret", "market_cap", "signal", "leverage"):
        corrupt.loc[after, column] = rng.normal(size=int(after.sum())) ** 2 * 7
    corrupt.loc[after, "exchange"] = "AMEX"
    whole = outputs(Panel(frame, freq="M"))
    for other in (frame[~after], corrupt):
        for left, right in zip(whole, outputs(Panel(other, freq="M"))):
            right = right.reindex(columns=left.columns)
            same_bits(left[left.index <= t], right[right.index <= t])


def test_row_order_changes_no_bit(make_market):
    frame = make_market(7)
    shuffled = frame.sample(frac=1.0, random_state=0)
    for left, right in zip(outputs(Panel(frame, freq="M")), outputs(Panel(shuffled, freq="M"))):
        same_bits(left, right)


def test_names_of_assets_change_no_bit(make_market):
    frame = make_market(8)
    names = sorted(frame["asset"].unique())
    new = dict(zip(names, np.random.default_rng(0).permutation(names)))
    left = Panel(frame, freq="M")
    right = Panel(frame.assign(asset=frame["asset"].map(new)), freq="M")
    for a, b in zip(outputs(left)[1:4], outputs(right)[1:4]):
        same_bits(a, b)


def test_scaling_all_weights_changes_nothing(market):
    strata = quantile_sort(market, "leverage", n=4)
    base = portfolio_returns(strata, market, weighting="value").frame
    for factor, tolerance in ((2.0**-20, 0.0), (1e6, 1e-14)):
        scaled = market.assign({"market_cap": market.values("market_cap") * factor})
        got = portfolio_returns(strata, scaled, weighting="value").frame
        assert np.nanmax(np.abs(got - base)) <= tolerance


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 25))
def test_splitting_by_date_and_joining_gives_the_same_bits(make_market, seed, cut):
    panel = Panel(make_market(seed), freq="M")
    strata = quantile_sort(panel, "leverage", n=2)
    whole = portfolio_returns(strata, panel, weighting="value", hold=2).frame
    middle = panel.dates[cut]
    first = portfolio_returns(
        strata.between(None, middle), panel.between(None, middle), weighting="value", hold=2
    ).frame
    second = portfolio_returns(
        strata.between(middle, None), panel.between(middle, None), weighting="value", hold=2
    ).frame
    same_bits(whole, pd.concat([first, second]))


def test_weights_by_rank_and_by_a_column(market):
    strata = quantile_sort(market, "leverage", n=2)
    ranked = portfolio_returns(strata, market, weighting=Ranked("market_cap")).frame
    by_hand = market.wide("market_cap").rank(axis=1)
    wide, labels = market.wide("ret"), strata.wide().astype(float)
    date = ranked.index[7]
    t = market.dates.get_loc(date)
    formed = labels.index[labels.index < date][-1]
    w = by_hand.iloc[t - 1].where(labels.loc[formed].reindex(wide.columns) == 2)
    r = wide.iloc[t]
    ok = w.notna() & r.notna()
    assert ranked.loc[date, "2"] == pytest.approx((w * r)[ok].sum() / w[ok].sum(), abs=1e-14)
    column = portfolio_returns(strata, market, weighting="market_cap").frame
    pd.testing.assert_frame_equal(
        column, portfolio_returns(strata, market, weighting="value").frame
    )


def test_capped_weights(market):
    strata = quantile_sort(market, "leverage", n=2)
    size = market.wide("market_cap")
    nyse = market.wide("exchange") == "NYSE"
    cap = size.where(nyse).quantile(0.8, axis=1)
    capped = size.clip(upper=cap, axis=0)
    by_hand = market.assign({"w": capped.stack()})
    got = portfolio_returns(strata, market, weighting=Capped(0.8)).frame
    want = portfolio_returns(strata, by_hand, weighting="w").frame
    assert np.nanmax(np.abs(got - want)) < 1e-14


def test_soft_membership_weighs(market):
    rng = np.random.default_rng(0)
    hard = quantile_sort(market, "leverage", n=2, rebalance="Q")
    p = rng.uniform(size=len(hard))
    chances = pd.DataFrame({1: p, 2: 1 - p}, index=hard.labels.index)
    soft = Strata(hard.labels, ordered=False, probabilities=chances)
    got = portfolio_returns(soft, market, weighting=Soft("value")).frame
    one = Strata(hard.labels * 0 + 1, ordered=True)
    carried = pd.Series(p, index=hard.labels.index).unstack().reindex(
        index=market.dates, columns=market.assets
    )  # fmt: skip
    formed = carried.index.isin(hard.dates)
    block = np.cumsum(formed)
    carried = carried.groupby(block).transform("first")
    weighted = market.assign({"w": (carried * market.wide("market_cap")).stack()})
    want = portfolio_returns(one, weighted, weighting="w").frame
    assert np.nanmax(np.abs(got["1"] - want["1"])) < 1e-13
    with pytest.raises(InputDataError, match="probabilities"):
        portfolio_returns(hard, market, weighting=Soft())


def test_a_risk_free_rate_is_subtracted_once(market):
    strata = quantile_sort(market, "leverage", n=2)
    rate = pd.Series(0.002, market.dates)
    got = portfolio_returns(strata, market, risk_free=rate)
    pd.testing.assert_frame_equal(got.excess(), got.frame - 0.002)


def test_settings_are_checked_before_work(market):
    strata = quantile_sort(market, "leverage")
    with pytest.raises(ConfigError, match="hold"):
        portfolio_returns(strata, market, hold=0, missing="drop")
    with pytest.raises(InputDataError, match="no_such"):
        portfolio_returns(strata, market, ret="no_such")
    renamed = market.frame.reset_index().assign(asset=lambda f: "x" + f["asset"].astype(str))
    other = Panel(renamed, freq="M")
    with pytest.raises(InputDataError, match="share assets"):
        portfolio_returns(strata, other)
