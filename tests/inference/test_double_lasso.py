"""Double selection: no selection is plain SDF regression; useless factors are found useless."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.double_lasso import double_selection

DATES = pd.date_range("1970-01-31", periods=480, freq="ME")


def zoo(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    h = rng.normal(0.0, 0.04, (480, 12))
    h[:, 0] += 0.008
    g = np.column_stack([0.5 * h[:, 0] + rng.normal(0, 0.03, 480), rng.normal(0.01, 0.04, 480)])
    g[:, 0] += 0.0
    loadings = rng.normal(0.5, 0.7, (14, 100))
    returns = np.column_stack([h, g]) @ loadings + rng.normal(0, 0.02, (480, 100))
    names = [f"h{i}" for i in range(12)]
    return (
        pd.DataFrame(returns, DATES),
        pd.DataFrame(g, DATES, ["redundant", "useful"]),
        pd.DataFrame(h, DATES, names),
    )


def test_a_redundant_factor_is_told_from_a_useful_one() -> None:
    t = []
    for seed in range(15):
        returns, new, controls = zoo(seed)
        t.append(double_selection(returns, new, controls, penalties=(0.02, 0.02, 0.05)).tstats)
    t = pd.DataFrame(t)
    assert (t["redundant"].abs() < 2).mean() >= 0.8
    assert (t["useful"] > 2).mean() >= 0.8


def test_no_penalty_keeps_every_control() -> None:
    returns, new, controls = zoo(1)
    result = double_selection(returns, new, controls, penalties=(1e-7, 1e-7, 1e-7))
    y = returns.to_numpy()
    both = np.column_stack([new, controls])
    covariance = np.cov(np.column_stack([y, both]).T, ddof=0)[:100, 100:]
    x = np.column_stack([np.ones(100), covariance])
    expected = np.linalg.lstsq(x, y.mean(axis=0), rcond=None)[0][1:3]
    np.testing.assert_allclose(result.params, expected, rtol=1e-6)
    assert len(result.selected_first) == 12


def test_cross_validation_is_reproducible_and_prints() -> None:
    returns, new, controls = zoo(2)
    a = double_selection(returns, new, controls, folds=5)
    b = double_selection(returns, new, controls, folds=5)
    pd.testing.assert_series_equal(a.params, b.params)
    assert "h0" in a.selected_first or "h0" in a.selected_second
    assert "First selection" in a.summary()


def test_refusals() -> None:
    returns, new, controls = zoo(3)
    with pytest.raises(EstimationError, match="assets for"):
        double_selection(returns.iloc[:, :10], new, controls, penalties=(1e-7, 1e-7, 1e-7))
    with pytest.raises(ConfigError, match="folds"):
        double_selection(returns, new, controls, folds=1)
