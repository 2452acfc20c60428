from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio import (
    Overlapping,
    Soft,
    Trailing,
    factor_holdings,
    holdings,
    legs,
    long_short,
    portfolio_returns,
    quantile_sort,
    run_backtest,
)


@pytest.fixture(scope="module")
def clusters(market) -> Strata:
    rng = np.random.default_rng(5)
    dates = market.dates[[3, 9, 15, 21]]
    wide = pd.DataFrame(rng.integers(1, 5, (4, 40)), index=dates, columns=market.assets)
    return Strata(wide, ordered=False, n=4)


def test_ordered_strata_are_long_the_top(market):
    strata = quantile_sort(market, "leverage", n=3)
    each = portfolio_returns(strata, market, weighting="value")
    factor = long_short(strata, market, name="LEV")
    assert factor.kind == "zero_cost"
    want = each.frame["3"] - each.frame["1"]
    np.testing.assert_array_equal(factor.frame["LEV"].to_numpy(), want.to_numpy())
    low = long_short(strata, market, name="LEV", long="low")
    np.testing.assert_array_equal(low.frame["LEV"].to_numpy(), -want.to_numpy())
    assert (factor.counts["LEV long"].to_numpy() == each.counts["3"].to_numpy()).all()


def test_clusters_need_a_ranking(market, clusters):
    with pytest.raises(ConfigError, match="rank_by"):
        long_short(clusters, market)


@pytest.mark.parametrize("weighting", ["equal", "value"])
def test_clusters_are_ranked_by_what_is_known_when_formed(market, clusters, weighting):
    factor = long_short(clusters, market, rank_by="leverage", weighting=weighting, name="CL")
    each = portfolio_returns(clusters, market, weighting=weighting).frame
    for date in factor.dates:
        formed = clusters.dates[clusters.dates < date][-1]
        section = market.at(formed)
        label = clusters.wide().loc[formed].astype(float).reindex(section.index)
        equal = pd.Series(1.0, index=section.index)
        w = section["market_cap"] if weighting == "value" else equal
        ok = section["leverage"].notna() & w.notna()
        mean = (section["leverage"] * w)[ok].groupby(label[ok]).sum() / w[ok].groupby(
            label[ok]
        ).sum()  # fmt: skip
        want = each.loc[date, str(int(mean.idxmax()))] - each.loc[date, str(int(mean.idxmin()))]
        assert factor.frame.loc[date, "CL"] == pytest.approx(want, abs=1e-14, nan_ok=True)


def test_relabelling_clusters_changes_nothing(market, clusters):
    other = clusters.relabel({1: 3, 2: 1, 3: 4, 4: 2})
    left = long_short(clusters, market, rank_by="signal").frame
    right = long_short(other, market, rank_by="signal").frame
    assert left.to_numpy().tobytes() == right.to_numpy().tobytes()


def test_trailing_premium_is_what_was_known(market):
    strata = quantile_sort(market, "leverage", n=3, rebalance="Q")
    loose = Strata(strata.labels, ordered=False)
    chosen = legs(loose, market, rank_by=Trailing(4), weighting="equal")
    each = portfolio_returns(loose, market, weighting="equal").frame
    for date in chosen.dates:
        past = each[each.index <= date].tail(4).mean()
        members = chosen.labels.loc[date]
        long_assets = members.index[members == 1]
        want = strata.labels.loc[date]
        assert set(long_assets) == set(want.index[want == int(past.idxmax())])


def drifted_turnover(weights: pd.DataFrame, returns: pd.DataFrame) -> pd.Series:
    """Two-sided turnover by date from target weights (one leg), in plain pandas."""
    out, held = {}, pd.Series(0.0, index=weights.columns)
    for date, target in weights.iterrows():
        r = returns.loc[date].fillna(0.0)
        held = held * (1 + r) / (1 + (held * r).sum())
        out[date] = (target - held).abs().sum()
        held = target
    return pd.Series(out)


def test_turnover_counts_trades_against_drifted_holdings(market):
    strata = quantile_sort(market, "leverage", n=3, rebalance="Q")
    factor = long_short(strata, market, name="f")
    held = holdings(strata, market, dates="all")
    wide = held.weights.droplevel("portfolio").unstack("asset").fillna(0.0)
    wide = wide.reindex(columns=market.assets, fill_value=0.0)
    returns = market.wide("ret").reindex(wide.index)
    two_sided = drifted_turnover(wide.clip(lower=0), returns) + drifted_turnover(
        -wide.clip(upper=0), returns
    )
    earned_at = market.dates[market.dates.get_indexer(wide.index)[:-1] + 1]
    want = pd.Series(0.5 * two_sided.to_numpy()[:-1], index=earned_at)
    got = factor.turnover["f"].reindex(want.index)
    np.testing.assert_allclose(got, want, atol=1e-12)
    assert got.iloc[0] == pytest.approx(1.0)


@pytest.mark.parametrize("hold", [None, 4, Overlapping(3)])
def test_holdings_earn_the_factor(market, hold):
    full = market.assign({"ret": np.nan_to_num(market.values("ret"))})
    strata = quantile_sort(full, "leverage", n=3, rebalance="Q")
    factor = long_short(strata, full, hold=hold, missing="zero")
    both = legs(strata, full)
    held = holdings(both, full, legs="long_only", hold=hold, dates="all")
    weights = held.weights.unstack("portfolio").fillna(0.0)
    returns = full.wide("ret").fillna(0.0).shift(-1).stack().reindex(weights.index)
    earned = weights.mul(returns, axis=0).groupby("date").sum()
    earned = (earned["long"] - earned["short"]).iloc[:-1]
    earned.index = full.dates[full.dates.get_indexer(earned.index) + 1]
    want = factor.frame["long_short"].dropna()
    np.testing.assert_allclose(earned[want.index], want, atol=1e-12)


@pytest.mark.parametrize("k", [2, 4])
def test_accounts_of_overlapping_cohorts_earn_the_mean_of_cohorts(market, k):
    full = market.assign({"ret": np.nan_to_num(market.values("ret"))})
    strata = quantile_sort(full, "leverage", n=3)
    held = holdings(strata, full, hold=Overlapping(k))
    assert held.legs == "netted"
    # What is long in one cohort and short in another cancels.
    long = held.weights.clip(lower=0.0).groupby("date").sum()
    assert (long < 1.0 - 1e-6).any()
    apart = holdings(legs(strata, full), full, legs="long_only", hold=Overlapping(k)).weights
    apart = apart.unstack("portfolio").fillna(0.0)
    both = (apart["long"] - apart["short"]).rename(None)
    own = held.weights.droplevel("portfolio").reindex(both.index, fill_value=0.0)
    np.testing.assert_allclose(own, both, atol=1e-15)
    alone = holdings(strata, full, legs="long", hold=Overlapping(k))
    np.testing.assert_allclose(
        alone.weights.droplevel("portfolio"), apart["long"][apart["long"] > 0], atol=1e-15
    )
    gross = run_backtest(held, full).gross["long_short"].dropna()
    want = long_short(strata, full, hold=Overlapping(k), missing="zero").frame["long_short"]
    # An asset that leaves the panel earns nothing in either.
    np.testing.assert_allclose(gross, want.reindex(gross.index), atol=1e-14)


def test_one_leg_alone_is_that_leg(market):
    strata = quantile_sort(market, "leverage", n=3, rebalance="Q")
    both = holdings(strata, market).weights
    alone = holdings(strata, market, legs="long")
    assert alone.legs == "long_only"
    pd.testing.assert_series_equal(alone.weights, both[both > 0.0])
    with pytest.raises(ConfigError, match="soft_holdings"):
        holdings(strata, market, weighting=Soft())
    with pytest.raises(ConfigError, match="long_short, long, long_only"):
        holdings(strata, market, legs="short")
    with pytest.raises(ConfigError, match="long_short, long; got"):
        factor_holdings(market, "leverage", legs="long_only")


def test_long_only_holdings_name_portfolios(market):
    strata = quantile_sort(market, "leverage", n=3, rebalance=6)
    held = holdings(strata, market, legs="long_only")
    assert held.portfolios == ["1", "2", "3"]
    assert set(held.dates) <= set(strata.dates)
    sums = held.weights.groupby(["date", "portfolio"]).sum()
    np.testing.assert_allclose(sums, 1.0, atol=1e-12)


def test_today_s_holdings_are_there_at_the_last_date():
    panel = Panel(
        pd.DataFrame(
            {"date": ["2020-01-31"] * 2, "asset": ["A", "B"], "ret": 0.0, "market_cap": [1.0, 3.0]}
        ),
        freq="M",
    )
    strata = Strata(pd.DataFrame({"A": [1], "B": [1]}, index=panel.dates), ordered=True)
    held = holdings(strata, panel, legs="long_only")
    assert held.weights.tolist() == [0.25, 0.75]
