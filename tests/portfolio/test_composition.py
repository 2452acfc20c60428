from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel, Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio import (
    Overlapping,
    Soft,
    composition,
    holdings,
    horizon_returns,
    legs,
    portfolio_returns,
    quantile_sort,
)


@pytest.mark.parametrize("hold", [None, Overlapping(3)])
def test_composition_describes_the_holdings(market, hold):
    strata = quantile_sort(market, "signal", n=3)
    got = composition(strata, market, columns=["leverage"], hold=hold)
    held = holdings(strata, market, legs="long_only", dates="all", hold=hold).weights
    frame = market.frame
    for (date, name), row in got.iterrows():
        w = held.xs((date, name), level=("date", "portfolio"))
        assert row["assets"] == len(w)
        assert row["effective_n"] == pytest.approx(1 / (w**2).sum(), rel=1e-12)
        assert row["max_weight"] == pytest.approx(w.max(), rel=1e-12)
        section = frame.xs(date, level="date").loc[w.index]
        assert row["market_cap"] == pytest.approx(section["market_cap"].sum(), rel=1e-12)
        x = section["leverage"]
        ok = x.notna()
        want = (w * x)[ok].sum() / w[ok].sum() if ok.any() else np.nan
        assert row["leverage"] == pytest.approx(want, rel=1e-12, nan_ok=True)
    assert len(got) == held.groupby(["date", "portfolio"]).ngroups


def test_soft_members_are_in_every_portfolio_by_their_membership(market):
    """The portfolios described are those whose returns are reported."""
    labels = quantile_sort(market, "signal", n=2).labels
    chances = np.random.default_rng(0).dirichlet([1.0, 1.0], len(labels))
    strata = Strata(
        labels, ordered=False, probabilities=pd.DataFrame(chances, labels.index, [1, 2])
    )
    got = composition(strata, market, weighting=Soft("value"))
    caps = market.frame["market_cap"].reindex(labels.index)
    for k, name in enumerate(("1", "2")):
        weight = caps * chances[:, k]
        weight = weight[weight > 0]
        share = weight / weight.groupby("date").transform("sum")
        mine = got.xs(name, level="portfolio").reindex(strata.dates)
        np.testing.assert_allclose(mine["assets"], share.groupby("date").size())
        np.testing.assert_allclose(mine["effective_n"], 1 / (share**2).groupby("date").sum())
    held = holdings(strata, market, weighting=Soft("value"), legs="long_only", dates="all")
    earned = held.weights.unstack("portfolio")
    later = market.wide("ret").fillna(0.0).shift(-1).stack().reindex(earned.index)
    want = portfolio_returns(strata, market, weighting=Soft("value"), missing="zero").frame
    mine = earned.mul(later, axis=0).groupby("date").sum().shift(1).reindex(want.index)
    np.testing.assert_allclose(mine, want, atol=1e-14)
    for job in (legs, horizon_returns):
        with pytest.raises(ConfigError, match="Soft"):
            job(strata, market, weighting=Soft())


def test_a_column_whose_name_is_taken_stands_beside_it():
    rows = {"date": ["2020-01-31"] * 2, "asset": ["A", "B"], "market_cap": [1.0, 3.0]}
    panel = Panel(pd.DataFrame(rows), freq="M")
    one = Strata(pd.DataFrame({"A": [1], "B": [1]}, index=panel.dates), ordered=True)
    row = composition(one, panel, columns=["market_cap"]).iloc[0]
    assert row["market_cap"] == 4.0
    assert row["mean market_cap"] == 2.5
