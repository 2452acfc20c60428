from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alphastrata.customers import Budget, plan_campaign
from alphastrata.customers.campaign import choose_customers, upper_bound
from alphastrata.errors import ConfigError, InputDataError

money = st.floats(0, 1e6, allow_nan=False, allow_subnormal=False)


def series(values):
    return pd.Series(values, index=[f"C{i}" for i in range(len(values))])


@settings(max_examples=150, deadline=None)
@given(
    rows=st.lists(st.tuples(st.floats(0, 1), money, st.integers(1, 4)), min_size=1, max_size=60),
    share=st.one_of(st.none(), st.floats(0, 1)),
    amount=money,
    by=st.sampled_from(["propensity", "segment"]),
)
def test_budgets_are_never_exceeded(rows, share, amount, by):
    scores, costs, segments = (series([row[i] for row in rows]) for i in range(3))
    plan = plan_campaign(
        scores, segments, budget=Budget(share=share, amount=amount), costs=costs, by=by
    )
    chosen = plan.chosen.to_numpy()
    assert math.fsum(costs[chosen]) <= amount
    assert plan.cost <= amount
    if share is not None:
        assert chosen.sum() <= share * len(rows) + 1e-9
    assert plan.expected <= plan.bound * (1 + 1e-9) + 1e-12
    assert plan.by_segment["chosen"].sum() == plan.count == chosen.sum()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 5_000), st.floats(0, 1))
def test_the_share_is_never_exceeded(customers, share):
    most = Budget(share=share).most(customers)
    assert 0 <= most <= share * customers + 1e-9
    assert most + 1 > share * customers - 1e-6


@pytest.mark.parametrize(
    ("customers", "share", "most"), [(10, 0.3, 3), (7, 0.3, 2), (100, 0.29, 29)]
)
def test_shares_by_hand(customers, share, most):
    assert Budget(share=share).most(customers) == most


def test_equal_costs_are_optimal():
    rng = np.random.default_rng(0)
    values = rng.random(500)
    taken = choose_customers(values, np.full(500, 2.0), most=100, amount=101.0)
    assert len(taken) == 50
    assert values[taken].min() >= np.sort(values)[-50]


@pytest.mark.parametrize("seed", range(20))
def test_near_the_best_of_all_choices(seed):
    rng = np.random.default_rng(seed)
    values, costs = rng.random(12), rng.random(12) + 0.1
    best = 0.0
    for size in range(6):
        for subset in itertools.combinations(range(12), size):
            if costs[list(subset)].sum() <= 2.0:
                best = max(best, values[list(subset)].sum())
    taken = choose_customers(values, costs, most=5, amount=2.0)
    found = values[taken].sum()
    assert found >= 0.93 * best
    assert upper_bound(values, costs, most=5, amount=2.0) >= best - 1e-12


def test_near_the_bound_with_many_customers():
    rng = np.random.default_rng(1)
    scores, costs = series(rng.random(5_000)), series(rng.lognormal(0, 1, 5_000))
    plan = plan_campaign(
        scores, series(np.ones(5_000)), budget=Budget(share=0.3, amount=500.0), costs=costs
    )
    assert plan.expected >= 0.995 * plan.bound


def test_whole_segments_come_first():
    scores = series([0.9, 0.8, 0.1, 0.7, 0.2, 0.2])
    segments = series([1, 1, 1, 2, 2, 2])
    plan = plan_campaign(scores, segments, budget=Budget(share=0.5), by="segment")
    assert plan.by_segment["chosen"].tolist() == [3, 0]


def test_worthless_customers_are_left_alone():
    plan = plan_campaign(series([0.0, 0.0, 0.5]), series([1, 1, 1]), budget=Budget(share=1.0))
    assert plan.count == 1


def test_bad_requests_are_named():
    with pytest.raises(ConfigError, match="Budget breaks 2 rules"):
        Budget(share=1.5, amount=-1.0)
    with pytest.raises(ConfigError, match="limits the share"):
        Budget(share=None)
    with pytest.raises(InputDataError, match="breaks 3 rules"):
        plan_campaign(series([0.5, np.nan]), series([1]), costs=-1.0)


def test_order_of_customers_does_not_matter():
    rng = np.random.default_rng(2)
    scores, costs = series(rng.random(300)), series(rng.random(300))
    budget = Budget(share=0.3, amount=20.0)
    one = plan_campaign(scores, series(np.ones(300)), budget=budget, costs=costs)
    mixed = scores.sample(frac=1, random_state=0)
    two = plan_campaign(mixed, series(np.ones(300)), budget=budget, costs=costs)
    assert one.chosen.equals(two.chosen.reindex(one.chosen.index))
