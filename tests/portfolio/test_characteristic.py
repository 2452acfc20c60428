from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import (
    Quantile,
    TwoByThree,
    double_sort,
    factor,
    factor_holdings,
    long_short,
    portfolio_returns,
    quantile_sort,
    run_backtest,
)


def test_two_by_three_is_the_mean_of_small_and_big(market):
    got = factor(market, "leverage", breakpoints="NYSE", rebalance=(6, 12), name="LEV")
    strata = double_sort(
        market, "market_cap", "leverage", n=(2, (0.3, 0.7)), breakpoints="NYSE", rebalance=(6, 12)
    )
    cells = portfolio_returns(strata, market, weighting="value").frame.to_numpy()
    want = (cells[:, 2] + cells[:, 5]) / 2 - (cells[:, 0] + cells[:, 3]) / 2
    np.testing.assert_allclose(got.frame["LEV"], want, atol=1e-15)
    low = factor(market, "leverage", breakpoints="NYSE", rebalance=(6, 12), long="low")
    np.testing.assert_allclose(low.frame["leverage"], -want, atol=1e-15)
    other = factor(market, "leverage", method=TwoByThree((0.2, 0.8)), breakpoints="NYSE")
    assert "0.2, 0.8" in other.source


def test_quantile_spread(market):
    got = factor(market, "leverage", method=Quantile(3), weighting="equal")
    want = long_short(quantile_sort(market, "leverage", n=3), market, weighting="equal")
    np.testing.assert_array_equal(got.frame["leverage"], want.frame["long_short"])


@pytest.mark.parametrize("method", ["rank", "signal"])
def test_weights_by_rank_and_signal(market, method):
    got = factor(market, "leverage", method=method, name="f").frame["f"]
    signal, returns = market.wide("leverage"), market.wide("ret")
    checked = 0
    for date in got.dropna().index:
        t = market.dates.get_loc(date)
        x = signal.iloc[t - 1]
        score = x.rank() - x.rank().mean() if method == "rank" else (x - x.mean()) / x.std(ddof=0)
        sides = []
        for w in (score.clip(lower=0), -score.clip(upper=0)):
            r = returns.iloc[t]
            ok = (w > 0) & r.notna()
            sides.append((w * r)[ok].sum() / w[ok].sum())
        assert got[date] == pytest.approx(sides[0] - sides[1], abs=1e-13)
        checked += 1
    assert checked > 20


def test_rank_weights_stay_until_the_next_formation(market):
    got = factor(market, "leverage", method="rank", rebalance=6, name="f").frame["f"]
    formed = market.dates[market.dates.month == 6][0]
    x = market.wide("leverage").loc[formed]
    score = x.rank() - x.rank().mean()
    date = market.dates[market.dates.get_loc(formed) + 3]
    r = market.wide("ret").loc[date]
    there = market.wide("industry").shift(1).loc[date].notna()
    sides = []
    for w in (score.clip(lower=0), -score.clip(upper=0)):
        ok = (w > 0) & r.notna() & there
        sides.append((w * r)[ok].sum() / w[ok].sum())
    assert got[date] == pytest.approx(sides[0] - sides[1], abs=1e-13)


def test_a_planted_premium_is_found_and_an_absent_one_is_not():
    rng = np.random.default_rng(0)
    dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    x = rng.normal(size=300)
    noise = rng.normal(size=300)
    index = pd.MultiIndex.from_product([dates, range(300)], names=["date", "asset"])
    frame = pd.DataFrame({"lev": np.tile(x, 120), "noise": np.tile(noise, 120)}, index=index)
    frame["market_cap"] = np.exp(rng.normal(size=len(frame)))
    frame["ret"] = 0.005 * frame["lev"] + rng.normal(0, 0.1, len(frame))
    panel = Panel(frame)
    for method in ("size_neutral_2x3", "quantile", "rank", "signal"):
        f = factor(panel, "lev", method=method).frame["lev"]
        g = factor(panel, "noise", method=method).frame["noise"]
        assert f.mean() / f.std() * np.sqrt(len(f)) > 4
        assert abs(g.mean() / g.std() * np.sqrt(len(g))) < 3


@pytest.mark.parametrize("method", ["size_neutral_2x3", "quantile", "rank", "signal"])
@pytest.mark.parametrize("long", ["high", "low"])
def test_holdings_earn_the_factor(market, method, long):
    """Traded every month without costs, in a market without gaps, money earns the factor."""
    ret = np.nan_to_num(market.values("ret"))
    full = market.assign(
        {"ret": ret, "market_cap": np.nan_to_num(market.values("market_cap"), nan=50)}
    )
    options = {"method": method, "long": long, "name": "f"}
    returns = factor(full, "leverage", **options)
    held = factor_holdings(full, "leverage", **options)
    done = run_backtest(held, full)
    want, got = returns.frame["f"], done.gross["f"].reindex(returns.frame.index)
    gone = held.weights.groupby("date").apply(
        lambda w: set(w.droplevel(["date", "portfolio"]).index)
    )
    checked = 0
    for date, value in want.dropna().items():
        before = full.dates[full.dates.get_loc(date) - 1]
        there = set(full.at(date).index)
        if before in gone.index and gone[before] <= there:
            assert got[date] == pytest.approx(value, abs=1e-12)
            checked += 1
    assert checked >= 5


def test_settings(market):
    with pytest.raises(ConfigError, match="method"):
        factor(market, "leverage", method="best")
    with pytest.raises(InputDataError, match="nothing"):
        factor(market, "nothing")
