from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from alphastrata.core import FactorReturns
from alphastrata.customers import (
    AllocationRules,
    Budget,
    Effort,
    Stages,
    allocate,
    fairness,
    make_table,
    measure_lift,
    plan_campaign,
    profile_segments,
    propensity,
    risk_profiles,
    segment,
    simulate,
    simulate_fund_returns,
    themes,
)
from alphastrata.customers.allocation import drift
from alphastrata.errors import ConfigError, InputDataError

EFFORT = Effort(search_rows=400, draws=4, repeats=1, k_max=6)


@pytest.fixture(scope="module")
def big():
    return simulate(2_500, respondents=0.6, seed=11)


@pytest.fixture(scope="module")
def found(big):
    return segment(make_table(big.customers), stages=Stages(), n_segments=5, effort=EFFORT)


@pytest.fixture(scope="module")
def scored(found):
    return propensity(found)


def segment_of(found, big, planted):
    truth = big.segments.loc[found.labels.index]
    return int(found.labels[truth == planted].mode()[0])


def test_the_retired_bear_least_and_the_young_in_stocks_most(found, big):
    risk = risk_profiles(found)
    assert risk["score"].idxmin() == segment_of(found, big, 5)
    assert risk["score"].idxmax() == segment_of(found, big, 2)
    assert (risk["risk_aversion"].between(1.5, 12)).all()
    assert risk["score"].corr(risk["risk_aversion"], method="spearman") == pytest.approx(-1)


def test_risk_columns_can_be_named(found):
    with pytest.raises(ConfigError, match="unknown: wealth, nothing"):
        risk_profiles(found, columns={"wealth": "age", "age": "nothing"})
    bare = replace(found, table=replace(found.table, frame=found.table.frame[["noise_1"]]))
    with pytest.raises(InputDataError, match="at least one of age"):
        risk_profiles(bare)
    named = replace(bare, table=replace(found.table, frame=found.table.frame[["noise_1"]]))
    assert risk_profiles(named, columns={"age": "noise_1"})["age"].between(0, 1).all()


RISK = pd.DataFrame({"score": [0.1, 0.5, 0.9], "risk_aversion": [10.0, 4.0, 1.6]}, index=[1, 2, 3])


def test_mean_variance_without_bounds_is_the_formula():
    """With one constraint, sum to one: w = S^-1 (m + l 1) / g (Markowitz 1952)."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        rng.normal([0.004, 0.006, 0.005], [0.03, 0.04, 0.035], (240, 3)), columns=list("abc")
    )
    rules = AllocationRules(max_weight=1.0, ceiling=False, train=240)
    g = 10.0
    m, S = frame.mean().to_numpy(), frame.cov().to_numpy()
    inverse = np.linalg.inv(S)
    one = np.ones(3)
    multiplier = (g - one @ inverse @ m) / (one @ inverse @ one)
    expected = inverse @ (m + multiplier * one) / g
    assert (expected > 0).all()
    risk = pd.DataFrame({"score": [0.5], "risk_aversion": [g]}, index=[1])
    assert np.allclose(allocate(frame, risk, rules=rules).weights.iloc[0], expected, atol=2e-3)


def test_more_risk_for_those_who_bear_it():
    found = allocate(simulate_fund_returns(120, seed=2), RISK)
    volatility = found.expected["volatility"]
    assert volatility.is_monotonic_increasing
    assert (found.weights.to_numpy() >= 0).all()
    assert (found.weights.to_numpy() <= 0.8 + 1e-6).all()
    assert np.allclose(found.weights.sum(axis=1), 1)
    risky = found.weights.loc[:, found.assets["risky"]].sum(axis=1)
    assert (risky <= 0.2 + RISK["score"] + 1e-4).all()


@pytest.mark.parametrize("method", ["risk_parity", "min_cvar"])
def test_other_methods_keep_the_bounds(method):
    found = allocate(simulate_fund_returns(72, seed=3), RISK, rules=AllocationRules(method=method))
    assert np.allclose(found.weights.sum(axis=1), 1)
    assert found.backtest.loc[1, "volatility"] < found.backtest.loc["equal weights", "volatility"]


def test_risk_parity_evens_out_risk():
    frame = simulate_fund_returns(240, seed=4).drop(columns="money market")
    rules = AllocationRules(method="risk_parity", max_weight=1.0, ceiling=False, train=240)
    w = allocate(frame, RISK.iloc[:1], rules=rules).weights.to_numpy()[0]
    part = w * (frame.cov().to_numpy() @ w)
    assert part / part.sum() == pytest.approx(np.full(3, 1 / 3), abs=0.01)


def test_segments_lie_on_the_frontier_or_under_it():
    found = allocate(simulate_fund_returns(120, seed=5), RISK, rules=AllocationRules(ceiling=False))
    best = np.interp(
        found.expected["volatility"], found.frontier["volatility"], found.frontier["mean"]
    )
    assert (found.expected["mean"] <= best + 5e-4).all()
    assert (found.expected["mean"] >= best - 2e-3).all()


def test_the_future_does_not_reach_back():
    returns = simulate_fund_returns(96, seed=6)
    rules = AllocationRules(train=48, test=12)
    one = allocate(returns, RISK, rules=rules).returns
    later = returns.copy()
    later.iloc[72:] = -later.iloc[72:] * 1.7
    two = allocate(later, RISK, rules=rules).returns
    assert one.iloc[:24].equals(two.iloc[:24])
    assert not one.iloc[24:].equals(two.iloc[24:])


def test_drift_and_costs_by_hand():
    returns = np.array([[0.10, 0.0], [0.0, 0.0], [0.0, 0.2]])
    plans = [np.array([0.5, 0.5]), np.array([0.5, 0.5])]
    net, traded = drift(returns, plans, 2, 0.01)
    held = np.array([0.55, 0.5]) / 1.05
    second = np.abs(0.5 - held).sum()
    assert traded == pytest.approx(1 + second)
    assert net.tolist() == pytest.approx([0.99 * 1.05 - 1, 0.0, (1 - 0.01 * second) * 1.1 - 1])


def test_factor_returns_are_assets_too():
    data = simulate_fund_returns(72, seed=7)
    wrapped = FactorReturns(data, kind="total", freq="M")
    assert allocate(wrapped, RISK).weights.equals(allocate(data, RISK).weights)


def test_bad_returns_and_rules_are_named():
    returns = simulate_fund_returns(72)
    broken = returns.copy()
    broken.iloc[3, 1] = np.nan
    with pytest.raises(InputDataError, match="finite number; 1 breaks this"):
        allocate(broken, RISK)
    with pytest.raises(InputDataError, match="60 periods of training"):
        allocate(returns.iloc[:50], RISK)
    with pytest.raises(ConfigError, match="leave no portfolio"):
        allocate(returns, RISK, rules=AllocationRules(max_weight=0.2))
    with pytest.raises(ConfigError, match="AllocationRules breaks 3 rules"):
        AllocationRules(method="x", min_weight=0.9, cost=-1)


def test_probabilities_are_calibrated_and_out_of_fold(scored, big):
    assert scored.calibrated
    assert scored.quality["auc"] > 0.65
    assert scored.quality["brier"] < scored.quality["brier_base"]
    gap = (scored.calibration["expected"] - scored.calibration["observed"]).abs()
    assert gap.max() < 0.08
    truth = big.response.loc[scored.scores.index]
    assert scored.scores.corr(truth, method="spearman") > 0.6
    assert scored.scores.mean() == pytest.approx(truth.mean(), abs=0.03)


def test_protected_columns_are_never_used(found):
    frame = found.table.frame.copy()
    frame["gender"] = frame["gender"].cat.rename_categories(["male", "female"])
    other = replace(found, table=replace(found.table, frame=frame))
    assert propensity(other).scores.equals(propensity(found).scores)
    with pytest.raises(ConfigError, match="must not use protected"):
        propensity(found, rule={"gender": 1.0})


def test_without_answers_a_rule_is_stated(found):
    table = replace(found.table, frame=found.table.frame.drop(columns="response"))
    scored = propensity(replace(found, table=table))
    assert not scored.calibrated
    assert scored.rule.startswith("No earlier answers: customers are ranked by high fixed income")
    assert scored.scores.between(0, 1).all()
    own = propensity(found, rule={"age": 1.0, "salary_range": -1.0})
    assert own.rule.startswith("A rule as told: customers are ranked by high age (50%), low salary")
    with pytest.raises(ConfigError, match="1 are absent"):
        propensity(found, rule={"nothing": 1.0})
    with pytest.raises(ConfigError, match="target must be one of"):
        propensity(found, target="age")


def test_lift_beats_chance_and_intervals_cover(scored, found):
    lift = measure_lift(scored, found.table, draws=200)
    table = lift.comparison
    assert table.loc["this campaign", "low"] > table.loc["at random", "high"]
    assert table.loc["at random", "difference_low"] > 0
    base = scored.known.mean()
    assert table.loc["at random", "response"] == pytest.approx(base)
    gains = lift.gains
    assert gains["captured"].iloc[[0, -1]].tolist() == pytest.approx([0, 1])
    assert gains["captured"].is_monotonic_increasing
    assert (gains["captured"].between(gains["low"] - 0.02, gains["high"] + 0.02)).all()
    assert gains["lift"].iloc[-1] == pytest.approx(1)
    top = scored.scores.reindex(scored.known.index).sort_values(ascending=False)
    n = int(0.3 * len(top))
    by_hand = scored.known.reindex(top.index[:n]).mean()
    assert table.loc["this campaign", "response"] == pytest.approx(by_hand, abs=0.005)


def test_random_scores_gain_nothing(scored, found):
    rng = np.random.default_rng(0)
    noise = replace(scored, scores=pd.Series(rng.random(len(scored.scores)), scored.scores.index))
    table = measure_lift(noise, found.table, draws=200).comparison
    assert table.loc["at random", "difference_low"] < 0 < table.loc["at random", "difference_high"]
    with pytest.raises(InputDataError, match="at least 20 known answers"):
        measure_lift(replace(scored, known=scored.known.iloc[:5]), found.table)


def test_fairness_by_hand(found, scored):
    plan = plan_campaign(scored.scores, found.customers()["segment"], budget=Budget(share=0.3))
    table = fairness(found, plan.chosen)
    women = found.table.frame["gender"] == "female"
    rate = plan.chosen.reindex(found.table.frame.index)[women].mean()
    assert table.loc[("gender", "female"), "rate"] == pytest.approx(rate)
    ages = table.loc["age"]
    assert ages["chosen"].sum() == plan.count
    assert ages.loc["under 25", "flag"] == "below four fifths"
    assert (table["low"] <= table["rate"]).all()
    assert (table["high"] >= table["rate"]).all()
    assert {"age", "gender", "occupation"} == set(table.index.get_level_values(0))


def test_themes_speak_to_every_segment(found, scored):
    profiles, risk = profile_segments(found), risk_profiles(found)
    plan = plan_campaign(scored.scores, found.customers()["segment"])
    table = themes(profiles, risk, plan)
    assert len(table) == 5
    assert table["theme"].str.len().gt(5).all()
    assert table["chosen"].sum() == plan.count
    assert table["name"].tolist() == [profiles.names[k] for k in table.index]
