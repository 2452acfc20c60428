from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alphastrata.core import FactorReturns
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import appraise, appraise_by, by_regime, by_year
from alphastrata.portfolio import performance as perf

FREQUENCIES = [("daily", 252), ("weekly", 52), ("monthly", 12)]


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    return np.random.default_rng(0).standard_t(4, size=400) * 0.02 + 0.001


@pytest.mark.parametrize(("period", "per_year"), FREQUENCIES)
def test_ratios_equal_empyrical(returns, period, per_year):
    empyrical = pytest.importorskip("empyrical", reason="empyrical-reloaded is not installed")
    pairs = {
        "sharpe_ratio": perf.sharpe(returns, per_year),
        "sortino_ratio": perf.sortino(returns, per_year),
        "annual_volatility": perf.volatility(returns, per_year),
        "annual_return": perf.compound_growth(returns, per_year),
        "calmar_ratio": perf.calmar(returns, per_year),
    }
    for name, got in pairs.items():
        assert got == pytest.approx(getattr(empyrical, name)(returns, period=period), rel=1e-12)
    assert perf.max_drawdown(returns).depth == pytest.approx(
        empyrical.max_drawdown(returns), rel=1e-12
    )
    assert perf.value_at_risk(returns, 0.05) == pytest.approx(
        empyrical.value_at_risk(returns, 0.05), rel=1e-12
    )
    market = np.random.default_rng(1).normal(0, 0.02, 400)
    index = pd.date_range("2000-01-01", periods=400)
    assert perf.alpha_beta(returns, market, per_year)[1] == pytest.approx(
        empyrical.beta(pd.Series(returns, index), pd.Series(market, index)), rel=1e-10
    )


def test_moments_equal_scipy(returns):
    assert perf.skewness(returns) == pytest.approx(stats.skew(returns), rel=1e-12)
    assert perf.excess_kurtosis(returns) == pytest.approx(stats.kurtosis(returns), rel=1e-12)


def test_alpha_is_that_of_least_squares(returns):
    market = np.random.default_rng(1).normal(0, 0.02, 400)
    fit = stats.linregress(market, returns)
    alpha, beta = perf.alpha_beta(returns, market, 252)
    assert alpha == pytest.approx(fit.intercept * 252, rel=1e-10)
    assert beta == pytest.approx(fit.slope, rel=1e-10)


def test_drawdown_by_brute_force():
    rng = np.random.default_rng(2)
    for _ in range(50):
        r = rng.normal(0, 0.1, rng.integers(1, 12))
        path = np.cumprod(np.concatenate([[1.0], 1 + r]))
        falls = {(i, j): path[j] / path[i] - 1 for j in range(len(path)) for i in range(j + 1)}
        fall = perf.max_drawdown(r)
        assert fall.depth == pytest.approx(min(falls.values()), abs=1e-15)
        assert path[fall.trough] / path[fall.peak] - 1 == pytest.approx(fall.depth, abs=1e-15)
        after = [i for i in range(fall.trough, len(path)) if path[i] >= path[fall.peak]]
        assert fall.recovery == (after[0] if after else -1)


@pytest.mark.parametrize("level", [0.01, 0.1, -0.3])
def test_equal_returns_have_no_ratio_to_their_spread(level):
    """The mean of equal numbers is off by a rounding, which is no risk."""
    same = np.full(12, level)
    assert perf.volatility(same) == 0.0
    for ratio in (perf.sharpe, perf.skewness, perf.excess_kurtosis):
        assert np.isnan(ratio(same))
    assert np.isnan(perf.alpha_beta(np.arange(12.0), same)).all()


def test_a_total_loss_is_a_drawdown_of_one():
    assert perf.max_drawdown([0.1, -1.0, 0.5]).depth == -1.0
    assert perf.compound_growth([0.1, -1.0, 0.5]) == -1.0


def test_appraisal_of_total_returns_subtracts_the_risk_free_rate_once():
    dates = pd.date_range("2000-01-31", periods=60, freq="ME")
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.normal(0.01, 0.05, (60, 2)), dates, ["a", "b"])
    rate = pd.Series(0.002, dates)
    total = FactorReturns(frame, kind="total", risk_free=rate)
    zero = FactorReturns(frame, kind="zero_cost")
    got = appraise(total, benchmark=zero.select(["b"]))
    assert got.numbers.loc["a", "mean"] == pytest.approx(12 * (frame["a"].mean() - 0.002))
    assert got.numbers.loc["a", "growth"] == pytest.approx(perf.compound_growth(frame["a"]))
    assert got.numbers.loc["b", "beta"] == pytest.approx(1.0)
    t = stats.ttest_1samp(frame["a"] - 0.002, 0.0).statistic
    assert got.tstats["a"] == pytest.approx(t)
    assert "Performance" in got.summary()
    with pytest.raises(InputDataError, match="risk-free"):
        appraise(FactorReturns(frame, kind="total"))
    with pytest.raises(ConfigError, match="freq"):
        appraise(frame)


def test_missing_returns_are_dropped_and_counted():
    dates = pd.date_range("2000-01-31", periods=30, freq="ME")
    x = pd.Series(np.linspace(-0.1, 0.1, 30), dates, name="x")
    x.iloc[4] = np.nan
    got = appraise(x, freq="M")
    assert got.numbers.loc["x", "periods"] == 29
    assert got.notes[0].count == 1


def test_years_and_regimes():
    dates = pd.date_range("2000-01-31", periods=30, freq="ME")
    x = pd.DataFrame({"x": np.linspace(-0.1, 0.1, 30)}, dates)
    years = by_year(x)
    assert years.loc[2001, "x"] == pytest.approx(np.prod(1 + x["x"].iloc[12:24]) - 1)
    label = pd.Series(np.where(np.arange(30) < 10, "bust", "boom"), dates)
    label.iloc[3] = None
    table = by_regime(x, label, freq="M")
    assert table.loc[("bust", "x"), "periods"] == 9
    assert table.loc[("boom", "x"), "mean"] == pytest.approx(12 * x["x"].iloc[10:].mean())


def test_every_statistic_inside_each_year_and_regime():
    rng = np.random.default_rng(3)
    dates = pd.date_range("2000-01-31", periods=30, freq="ME")
    x = pd.DataFrame(rng.normal(0.01, 0.05, (30, 2)), dates, ["x", "y"])
    market = pd.Series(rng.normal(0.0, 0.05, 30), dates)
    years = appraise_by(x, benchmark=market, freq="M")
    assert list(years.index.get_level_values("group").unique()) == [2000, 2001, 2002]
    want = appraise(x.loc["2001"], benchmark=market, freq="M").numbers
    np.testing.assert_array_equal(years.loc[2001][want.columns], want)
    state = pd.Series(np.where(market > 0, "up", "down"), dates)
    regimes = appraise_by(x, state, benchmark=market, freq="M")
    want = appraise(x[market > 0], benchmark=market, freq="M").numbers
    np.testing.assert_array_equal(regimes.loc["up"][want.columns], want)
