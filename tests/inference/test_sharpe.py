"""Sharpe ratios: published examples, the jackknife, size of the difference test."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alphastrata.core import FactorReturns
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.sharpe import (
    SharpeMoments,
    deflated_sharpe,
    expected_maximum_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
    sharpe_moments,
)


def test_bailey_and_lopez_de_prado_example() -> None:
    moments = SharpeMoments(2.5 / np.sqrt(250), 1250, -3.0, 10.0)
    result = deflated_sharpe(moments, 100, np.sqrt(0.5 / 250))
    assert round(result.threshold, 4) == 0.1132
    assert round(result.probability, 4) == 0.9004
    assert "best of 100 trials" in str(result)
    assert "0.9004" in result.summary()
    assert result.pvalues["Sharpe"] == 1 - result.probability


def test_moments_are_scipys() -> None:
    r = np.random.default_rng(0).standard_t(5, 300) * 0.02 + 0.004
    moments = sharpe_moments(pd.Series([*r, np.nan]))
    assert moments.sharpe == pytest.approx(r.mean() / r.std(ddof=1))
    assert moments.skewness == pytest.approx(stats.skew(r))
    assert moments.kurtosis == pytest.approx(stats.kurtosis(r, fisher=False))
    assert probabilistic_sharpe(r) == probabilistic_sharpe(moments)
    dates = pd.bdate_range("2000-01-03", periods=300)
    factor = FactorReturns(pd.DataFrame({"f": r}, index=dates), kind="zero_cost")
    assert sharpe_moments(factor) == sharpe_moments(r)


def test_error_is_the_spread_of_simulated_ratios() -> None:
    rng = np.random.default_rng(1)
    r = rng.gamma(4.0, 0.01, (20_000, 120)) - 0.03
    ratios = r.mean(axis=1) / r.std(axis=1, ddof=1)
    g = stats.gamma(4.0, scale=0.01)
    moments = SharpeMoments(
        (g.mean() - 0.03) / g.std(), 120, float(g.stats("s")), float(g.stats("k")) + 3
    )
    assert moments.error() == pytest.approx(ratios.std(), rel=0.02)


def test_expected_maximum_is_simulated() -> None:
    z = np.random.default_rng(2).normal(size=(20_000, 50)).max(axis=1).mean()
    assert expected_maximum_sharpe(50, 1.0) == pytest.approx(z, rel=0.02)
    assert expected_maximum_sharpe(1, 1.0) == 0.0


def test_track_record_is_the_inverse_of_the_probability() -> None:
    moments = SharpeMoments(0.15, 80, -0.5, 6.0)
    n = minimum_track_record(moments, 0.05, confidence=0.9)
    longer = SharpeMoments(0.15, round(n), -0.5, 6.0)
    assert probabilistic_sharpe(longer, 0.05) == pytest.approx(0.9, abs=2e-3)
    assert minimum_track_record(moments, 0.2) == float("inf")


def test_refusals() -> None:
    with pytest.raises(InputDataError, match="three values"):
        sharpe_moments(np.ones(5))
    with pytest.raises(InputDataError, match="one series"):
        sharpe_moments(np.ones((5, 2)))
    with pytest.raises(ConfigError, match="trial"):
        expected_maximum_sharpe(0, 1.0)
    with pytest.raises(ConfigError, match="confidence"):
        minimum_track_record(SharpeMoments(0.1, 50), confidence=1.0)
