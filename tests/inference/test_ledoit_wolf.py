"""Difference of Sharpe ratios: the jackknife, and its size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference import HAC
from alphastrata.inference.ledoit_wolf import sharpe_difference


def test_difference_error_is_the_jackknife(returns: pd.DataFrame) -> None:
    x = returns[["P1", "P2"]].to_numpy()

    def gap(w: np.ndarray) -> float:
        m, second = w @ x, w @ x**2
        ratios = m / np.sqrt(second - m**2)
        return float(ratios[0] - ratios[1])

    base, h = np.full(180, 1 / 180), 1e-5
    influence = []
    for t in range(180):
        unit = np.eye(180)[t]
        ends = [gap((1 - s) * base + s * unit) for s in (h, -h)]
        influence.append((ends[0] - ends[1]) / (2 * h))
    result = sharpe_difference(returns["P1"], returns["P2"], hac=HAC(0, small_sample=False))
    expected = np.sqrt(np.mean(np.square(influence)) / 180)
    assert result.std_error == pytest.approx(expected, rel=1e-6)
    assert result.difference == pytest.approx(gap(base), rel=1e-12)
    assert "Difference of Sharpe ratios" in result.summary()
    assert result.table().loc["difference", "p"] == result.pvalue


def test_bootstrap_has_its_size() -> None:
    rng = np.random.default_rng(3)
    dates = pd.date_range("2000-01-31", periods=120, freq="ME")
    rejections = 0
    for seed in range(60):
        x = pd.DataFrame(rng.standard_t(5, (120, 2)) * 0.03 + 0.005, dates, ["a", "b"])
        result = sharpe_difference(x["a"], x["b"], draws=99, seed=seed)
        rejections += result.bootstrap_pvalue <= 0.10
    assert 1 <= rejections <= 13


def test_refusals(returns: pd.DataFrame) -> None:
    with pytest.raises(InputDataError, match="one column"):
        sharpe_difference(returns, returns["P1"])
    with pytest.raises(ConfigError, match="block"):
        sharpe_difference(returns["P1"], returns["P2"], draws=99, block=400)
