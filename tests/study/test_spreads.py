"""Monthly and daily versions of a factor are one portfolio."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Panel, Strata
from alphastrata.portfolio import Capped, Ranked, portfolio_returns
from alphastrata.study.settings import ClusterConfig, SortConfig
from alphastrata.study.stages.spreads import carried, daily_weights, drifting, sort, spread

SESSIONS = pd.bdate_range("2019-12-02", "2020-12-31")
ASSETS = [f"A{i:02d}" for i in range(24)]


def markets(seed=0):
    """A daily market, and the monthly one that its days compound to."""
    rng = np.random.default_rng(seed)
    days = pd.DataFrame(rng.normal(0, 0.02, (len(SESSIONS), 24)), SESSIONS, ASSETS)
    cap = (1 + days).cumprod() * rng.exponential(10, 24)
    month = SESSIONS.to_period("M")
    monthly = (1 + days).groupby(month).prod() - 1
    monthly.index = monthly.index.to_timestamp(how="end").normalize()
    caps = cap.groupby(month).last().set_axis(monthly.index)
    lev = pd.DataFrame(rng.random((len(monthly), 24)), monthly.index, ASSETS)
    return (
        Panel.from_wide({"ret": monthly, "market_cap": caps, "lev": lev}, freq="M"),
        Panel.from_wide({"ret": days, "market_cap": cap}, freq="D"),
    )


def compounded(daily):
    return (1 + daily).groupby(daily.index.to_period("M")).prod() - 1


@pytest.mark.parametrize("weighting", ["equal", "value"])
def test_days_of_every_stratum_compound_to_its_months(weighting):
    panel, daily = markets()
    config = SortConfig(name="LEV", by="lev", n=3, weighting=weighting)
    strata = sort(config, panel)["strata"]
    months = portfolio_returns(strata, panel, weighting=weighting).frame
    market, weights = (drifting(daily), "weight") if weighting == "equal" else (daily, "value")
    days = portfolio_returns(strata, market, weighting=weights).frame
    np.testing.assert_allclose(compounded(days).to_numpy(), months.to_numpy(), rtol=0, atol=1e-13)
    factor = spread(config, strata, panel, daily).frame["LEV"]
    np.testing.assert_allclose(factor, days["3"] - days["1"], rtol=0, atol=1e-15)


def test_drifting_weights_compound_exactly():
    panel, daily = markets(1)
    weighted = drifting(daily)
    weight, ret = weighted.wide("weight"), daily.wide("ret")
    held = weight.shift(1)
    own = (held * ret).sum(axis=1) / held.sum(axis=1)
    together = compounded(own.iloc[SESSIONS.get_loc("2020-01-01") :])
    want = panel.wide("ret").mean(axis=1).iloc[1:]
    np.testing.assert_allclose(together.to_numpy(), want.to_numpy(), rtol=0, atol=1e-14)


def test_clusters_have_the_same_legs_by_month_and_by_day():
    panel, daily = markets(2)
    rng = np.random.default_rng(3)
    dates = panel.dates[[0, 4, 8]]
    labels = pd.DataFrame(rng.integers(1, 4, (3, 24)), dates, ASSETS)
    strata = Strata(labels, ordered=False)
    config = ClusterConfig(name="CLU", features=("lev", "ret"), rank_by="lev", weighting="equal")
    months = spread(config, strata, panel, panel).frame["CLU"]
    days = spread(config, strata, panel, daily).frame["CLU"]
    together = compounded(days)
    assert np.corrcoef(together.to_numpy(), months.to_numpy())[0, 1] > 0.999
    assert np.abs(together.to_numpy() - months.to_numpy()).max() < 5e-3


def test_a_month_end_that_is_no_session_is_bought_at_the_session_before():
    panel, daily = markets(4)
    assert pd.Timestamp("2020-05-31") not in SESSIONS
    wide = carried(panel, daily, "lev").wide("lev")
    lev = panel.wide("lev")
    np.testing.assert_array_equal(wide.loc["2020-05-29"], lev.loc["2020-05-31"])
    np.testing.assert_array_equal(wide.loc["2020-05-28"], lev.loc["2020-04-30"])
    np.testing.assert_array_equal(wide.loc["2020-06-01"], lev.loc["2020-05-31"])


@pytest.mark.parametrize(
    "more",
    [
        {"by": ("market_cap", "lev"), "n": (2, 3)},
        {"by": "lev", "n": (0.3, 0.7), "weighting": "signal", "weigh_by": "lev"},
        {"by": "lev", "n": 3, "weighting": "rank", "weigh_by": "market_cap"},
        {"by": "lev", "n": 3, "overlapping": 2},
    ],
)
def test_other_sorts_have_the_same_portfolios_by_month_and_by_day(more):
    panel, daily = markets(5)
    config = SortConfig(name="LEV", **more)
    strata = sort(config, panel)["strata"]
    months = spread(config, strata, panel, panel).frame["LEV"]
    together = compounded(spread(config, strata, panel, daily).frame["LEV"])
    # The difference of two legs does not compound, so that the months are close and not the same.
    shared = min(len(together), len(months))
    ours, theirs = together.to_numpy()[-shared:], months.to_numpy()[-shared:]
    assert np.abs(ours - theirs).max() < 1.5e-2
    assert np.corrcoef(ours, theirs)[0, 1] > 0.995


@pytest.mark.parametrize("weighting", ["lev", Ranked("market_cap"), Capped(0.8, "all")])
def test_weights_set_at_month_ends_compound_exactly(weighting):
    panel, daily = markets(6)
    strata = sort(SortConfig(name="LEV", by="lev", n=3), panel)["strata"]
    months = portfolio_returns(strata, panel, weighting=weighting).frame
    market, column = daily_weights(panel, daily, weighting)
    days = compounded(portfolio_returns(strata, market, weighting=column).frame)
    np.testing.assert_allclose(days.to_numpy(), months.to_numpy(), rtol=0, atol=1e-13)
