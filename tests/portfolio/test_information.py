from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alphastrata.errors import ConfigError
from alphastrata.portfolio import (
    horizon_returns,
    information_coefficients,
    later_returns,
    portfolio_returns,
    quantile_sort,
    rank_autocorrelation,
)


def later_by_hand(panel, horizon):
    wide = panel.wide("ret")
    out = pd.DataFrame(np.nan, index=wide.index, columns=wide.columns)
    for t in range(len(wide) - horizon):
        window = wide.iloc[t + 1 : t + 1 + horizon]
        out.iloc[t] = ((1 + window.fillna(0)).prod() - 1).where(window.iloc[0].notna())
    return out


@pytest.mark.parametrize("horizon", [1, 2, 5])
def test_later_returns_compound(market, horizon):
    got = later_returns(market, horizon)
    want = later_by_hand(market, horizon).to_numpy()[market.date_codes, market.asset_codes]
    np.testing.assert_allclose(got, want, atol=1e-14)


@pytest.mark.parametrize("how", ["spearman", "pearson"])
def test_coefficients_equal_scipy(market, how):
    got = information_coefficients(market, "signal", horizons=[1, 3], how=how)
    function = stats.spearmanr if how == "spearman" else stats.pearsonr
    for h in (1, 3):
        later, x = later_by_hand(market, h), market.wide("signal")
        for date, value in got.series[h].dropna().items():
            pair = pd.concat([x.loc[date], later.loc[date]], axis=1).dropna()
            assert value == pytest.approx(function(pair.iloc[:, 0], pair.iloc[:, 1])[0], abs=1e-12)
    table = got.table()
    t = stats.ttest_1samp(got.series[1].dropna(), 0).statistic
    assert table.loc[1, "t"] == pytest.approx(t, rel=1e-12)
    assert "Information" in got.summary()


def test_a_perfect_signal_has_a_coefficient_of_one(market):
    seen = market.assign({"oracle": later_returns(market, 1)})
    got = information_coefficients(seen, "oracle", horizons=[1, 6])
    assert got.params[1] == pytest.approx(1.0)
    assert abs(got.params[6]) < 0.9


def test_horizon_of_one_is_the_portfolio_return(market):
    strata = quantile_sort(market, "leverage", n=3)
    got = horizon_returns(strata, market, horizons=[1, 4], weighting="value")
    want = portfolio_returns(strata, market, weighting="value").frame
    one = got[1].copy()
    one.index = market.dates[market.dates.get_indexer(one.index) + 1]
    both = want.index.intersection(one.index)
    np.testing.assert_allclose(one.loc[both], want.loc[both], atol=1e-14)
    later, w = later_by_hand(market, 4), market.wide("market_cap")
    date = strata.dates[5]
    label = strata.wide().loc[date].astype(float)
    ok = (label == 2) & later.loc[date].notna() & w.loc[date].notna()
    value = (later.loc[date] * w.loc[date])[ok].sum() / w.loc[date][ok].sum()
    assert got.loc[date, (4, "2")] == pytest.approx(value, abs=1e-14)


def test_quantile_returns_and_autocorrelation_equal_alphalens(market):
    """The formulas of alphalens-reloaded 0.5.1, `performance.py`, in pandas."""
    strata = quantile_sort(market, "leverage", n=3)
    data = pd.DataFrame(
        {h: later_returns(market, h) for h in (1, 3)}
        | {"factor": market.values("leverage"), "quantile": strata.labels.reindex(market.index)},
        index=market.index,
    ).dropna()
    # mean_return_by_quantile(by_date=True, demeaned=False)
    want = data.groupby(["quantile", "date"])[[1, 3]].mean()
    got = horizon_returns(strata, market, horizons=[1, 3])
    one = want[1].unstack("quantile")
    np.testing.assert_allclose(got[1].loc[one.index], one, atol=1e-14)
    # factor_rank_autocorrelation: ranks within each date, Pearson over assets on both
    ranks = market.frame["leverage"].groupby("date").rank().unstack("asset")
    both = ranks.corrwith(ranks.shift(1), axis=1).dropna()
    np.testing.assert_allclose(rank_autocorrelation(market, "leverage"), both, atol=1e-12)
    # factor_information_coefficient
    ic = data.groupby("date").apply(lambda x: stats.spearmanr(x["factor"], x[3])[0])
    whole = market.assign(
        {"leverage": np.where(market.index.isin(data.index), market.values("leverage"), np.nan)}
    )
    mine = information_coefficients(whole, "leverage", horizons=[3]).series[3]
    np.testing.assert_allclose(mine.loc[ic.index], ic, atol=1e-12)


def test_rank_autocorrelation_equals_scipy(market):
    got = rank_autocorrelation(market, "leverage", lag=2, ranks="shared")
    x = market.wide("leverage")
    for date, value in got.items():
        pair = pd.concat([x.loc[date], x.shift(2).loc[date]], axis=1).dropna()
        want = stats.spearmanr(pair.iloc[:, 0], pair.iloc[:, 1])[0]
        assert value == pytest.approx(want, abs=1e-12)


def test_settings(market):
    with pytest.raises(ConfigError, match="horizon"):
        later_returns(market, 0)
    with pytest.raises(ConfigError, match="how"):
        information_coefficients(market, "signal", how="kendall")
    with pytest.raises(ConfigError, match="lag"):
        rank_autocorrelation(market, "signal", lag=0)
    with pytest.raises(ConfigError, match="ranks"):
        rank_autocorrelation(market, "signal", ranks="all")
