"""Reality check, SPA and Romano-Wolf: size, power, and brute force."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.snooping import reality_check, romano_wolf, step_down

DATES = pd.date_range("1990-01-31", periods=240, freq="ME")


def strategies(seed: int, good: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.03, (240, 12)) + rng.normal(0, 0.02, (240, 1))
    x[:, 3] += good
    return pd.DataFrame(x, DATES, [f"s{i}" for i in range(12)])


def test_a_good_strategy_is_found_and_luck_is_not() -> None:
    found = reality_check(strategies(0, good=0.012), draws=300)
    assert found.best == "s3"
    assert found.hansen < 0.05
    assert found.lower <= found.hansen <= found.white
    assert "s3" in found.superior
    assert "SPA p" in str(found)
    assert found.table().index[0] == "s3"
    assert "SPA, best t" in found.summary()
    lucky = [reality_check(strategies(s), draws=199).hansen for s in range(1, 21)]
    assert np.mean(np.array(lucky) < 0.1) <= 0.25


def test_all_may_be_superior() -> None:
    assert len(reality_check(strategies(0).add(0.05), draws=199).superior) == 12


def test_benchmark_is_subtracted() -> None:
    x = strategies(3, good=0.012)
    shifted = reality_check(x.add(0.02), pd.Series(0.02, DATES, name="b"), draws=200)
    plain = reality_check(x, draws=200)
    assert shifted.white == plain.white
    np.testing.assert_allclose(shifted.means, plain.means, atol=1e-15)


def test_step_down_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    observed, resampled = rng.exponential(2.0, 6), rng.exponential(1.0, (199, 6))
    expected = np.empty(6)
    remaining, floor = set(range(6)), 0.0
    for s in np.argsort(-observed):
        columns = sorted(remaining)
        p = (1 + (resampled[:, columns].max(axis=1) >= observed[s]).sum()) / 200
        floor = max(floor, p)
        expected[s] = floor
        remaining.remove(s)
    np.testing.assert_array_equal(step_down(observed, resampled), expected)


def test_romano_wolf_on_alphas(factors: pd.DataFrame, returns: pd.DataFrame) -> None:
    good = returns.assign(P1=returns["P1"] + 0.02)
    result = romano_wolf(good, factors, draws=300)
    assert result.adjusted["P1"] < 0.02
    assert (result.adjusted >= result.pvalues - 1e-15).all()
    assert "Romano-Wolf" in result.summary()
    again = romano_wolf(good, factors, draws=300)
    pd.testing.assert_series_equal(result.adjusted, again.adjusted)


def test_family_wise_error() -> None:
    errors = sum(
        (romano_wolf(strategies(s), draws=199, block=2).adjusted < 0.10).any() for s in range(60)
    )
    assert errors <= 13


def test_refusals() -> None:
    with pytest.raises(ConfigError, match="block"):
        romano_wolf(strategies(0), block=300)
    short = strategies(0).iloc[:9]
    with pytest.raises(EstimationError, match="longer sample"):
        romano_wolf(short.iloc[:, :2], short.iloc[:, 2:8], block=2)
    with pytest.raises(ConfigError, match="draws"):
        reality_check(strategies(0), draws=10)
