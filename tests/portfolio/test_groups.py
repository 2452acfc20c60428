from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio import dummy_returns, neutral, portfolio_returns, quantile_sort


@pytest.mark.parametrize("how", ["rank", "demean", "zscore"])
def test_standing_inside_groups_equals_pandas(market, how):
    got = neutral(market, ["leverage", "signal"], "industry", how=how).frame
    by = market.frame.groupby(["date", "industry"], observed=True)[["leverage", "signal"]]
    want = {
        "rank": lambda: by.rank(pct=True),
        "demean": lambda: by.transform(lambda x: x - x.mean()),
        "zscore": lambda: by.transform(
            lambda x: (x - x.mean()) / x.std(ddof=0) if x.std(ddof=0) > 0 else x * 0
        ),
    }[how]()
    np.testing.assert_allclose(got[["leverage", "signal"]], want, atol=1e-12)


def test_groups_are_those_known_at_the_date(market):
    clusters = Strata(quantile_sort(market, "signal", n=2, rebalance=6).labels, ordered=False, n=2)
    got = neutral(market, "leverage", clusters)
    before = market.frame.index.get_level_values("date") < clusters.dates[0]
    assert np.isnan(got.values("leverage")[before]).all()
    assert np.nanmax(got.values("leverage")) == 1.0


def test_dummy_returns_sum_to_zero(market):
    clusters = Strata(quantile_sort(market, "leverage", n=3).labels, ordered=False, n=3)
    got = dummy_returns(clusters, market)
    total = portfolio_returns(clusters, market, weighting="value").frame
    whole = total.notna().all(axis=1)
    assert np.abs(got.frame[whole].sum(axis=1)).max() < 1e-15
    np.testing.assert_allclose(
        got.frame[whole], total[whole].sub(total[whole].mean(axis=1), axis=0), atol=1e-15
    )


@pytest.mark.parametrize("missing", ["renormalise", "zero"])
def test_dummy_returns_take_the_missing_policy(market, missing):
    strata = quantile_sort(market, "signal", n=3)
    total = portfolio_returns(strata, market, weighting="value", missing=missing).frame
    got = dummy_returns(strata, market, missing=missing).frame
    pd.testing.assert_frame_equal(got, total.sub(total.mean(axis=1), axis=0))


def test_how_is_checked(market):
    with pytest.raises(ConfigError, match="how"):
        neutral(market, "leverage", "industry", how="center")
