"""Bayesian Fama-MacBeth: the posterior's moments, and a useless factor."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.bayesian import bayesian_fama_macbeth
from alphastrata.inference.two_pass import two_pass

DATES = pd.date_range("1960-01-31", periods=600, freq="ME")


@pytest.fixture(scope="module")
def strong() -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(0)
    f = rng.normal(0.006, 0.045, (600, 1))
    y = f * np.linspace(0.4, 1.6, 12) + rng.normal(0, 0.02, (600, 12))
    return pd.DataFrame(y, DATES), pd.DataFrame(f, DATES, ["strong"])


def test_strong_factor_agrees_with_two_passes(
    strong: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    for method in ("OLS", "GLS"):
        bayes = bayesian_fama_macbeth(*strong, method=method, draws=3000)
        plain = two_pass(*strong, method=method)
        gap = (bayes.params - plain.params) / plain.std_errors
        assert gap.abs().max() < 0.15
        np.testing.assert_allclose(bayes.std_errors, plain.std_errors, rtol=0.12)


def test_useless_factor_holds_zero(strong: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    rng = np.random.default_rng(1)
    both = strong[1].assign(useless=rng.normal(size=600))
    result = bayesian_fama_macbeth(strong[0], both, draws=2000)
    assert result.pvalues["useless"] > 0.1
    assert result.table().loc["useless", "2.5%"] < 0 < result.table().loc["useless", "97.5%"]


def test_covariance_draws_are_inverse_wishart(
    strong: tuple[pd.DataFrame, pd.DataFrame],
) -> None:
    # With one factor, no intercept and a single asset besides it, the premium is mu / beta:
    # its draws are compared with scipy's inverse Wishart in distribution.
    y, f = strong[0].iloc[:60, :2], strong[1].iloc[:60]
    ours = bayesian_fama_macbeth(y, f, intercept=False, draws=4000, seed=3).draws["strong"]
    joined = np.column_stack([f, y])
    centred = joined - joined.mean(axis=0)
    rng = np.random.default_rng(9)
    draws = []
    for s in stats.invwishart(59, centred.T @ centred).rvs(4000, random_state=rng):
        mu = rng.multivariate_normal(joined.mean(axis=0), s / 60)
        beta = s[1:, 0] / s[0, 0]
        draws.append(beta @ mu[1:] / (beta @ beta))
    assert stats.ks_2samp(ours, draws).pvalue > 0.01


def test_seed_and_refusals(strong: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    a = bayesian_fama_macbeth(*strong, draws=100, seed=5)
    pd.testing.assert_frame_equal(a.draws, bayesian_fama_macbeth(*strong, draws=100, seed=5).draws)
    assert "independent draws" in a.summary()
    with pytest.raises(ConfigError, match="100 draws"):
        bayesian_fama_macbeth(*strong, draws=10)
    with pytest.raises(ConfigError, match="method"):
        bayesian_fama_macbeth(*strong, method="WLS")
    with pytest.raises(EstimationError, match="T > N"):
        bayesian_fama_macbeth(strong[0].iloc[:13], strong[1].iloc[:13])
    with pytest.raises(EstimationError, match="more assets"):
        bayesian_fama_macbeth(strong[0].iloc[:, :2], strong[1])
