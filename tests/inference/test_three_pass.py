"""Three-pass premia: an omitted factor, rotation, the jackknife."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError
from alphastrata.inference import HAC
from alphastrata.inference.three_pass import count_factors, three_pass
from alphastrata.inference.two_pass import two_pass

DATES = pd.date_range("1960-01-31", periods=600, freq="ME")


def market(seed: int, n_assets: int = 120) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Returns with three correlated priced factors; the first alone is observed, with noise."""
    rng = np.random.default_rng(seed)
    mix = np.array([[1.0, 0.6, 0.3], [0, 1, 0], [0, 0, 1]])
    v = rng.normal([0.0, 0.012, 0.008], 0.04, (600, 3)) @ mix
    returns = v @ rng.normal(1, 0.6, (3, n_assets)) + rng.normal(0, 0.02, (600, n_assets))
    g = v[:, [0]] + rng.normal(0, 0.02, (600, 1))
    return pd.DataFrame(returns, DATES), pd.DataFrame(g, DATES, ["g"])


def test_an_omitted_factor_does_no_harm() -> None:
    three, two = [], []
    for seed in range(40):
        returns, g = market(seed)
        result = three_pass(returns, g, n_factors=3, lags=0)
        three.append(result.params["g"] / result.std_errors["g"])
        other = two_pass(returns.iloc[:, :25], g, intercept=True)
        two.append(other.params["g"] / other.std_errors["g"])
    # The premium of g is zero: its own part earns nothing.
    assert abs(np.mean(three)) < 0.6
    assert 0.6 < np.std(three) < 1.4
    assert abs(np.mean(two)) > 1.5


def test_errors_are_the_jackknife_for_many_assets() -> None:
    returns, g = market(3, 40)
    y, f = returns.to_numpy(), g.to_numpy()

    def estimate(w: np.ndarray) -> float:
        mean, centred = w @ y, f - w @ f
        left, values, right = np.linalg.svd((y - mean) * np.sqrt(w)[:, None], full_matrices=False)
        loadings, v = right[:3].T * values[:3], left[:, :3] / np.sqrt(w)[:, None]
        gamma = np.linalg.lstsq(loadings, mean, rcond=None)[0]
        return float((centred * w[:, None])[:, 0] @ v @ gamma)

    base, h = np.full(600, 1 / 600), 1e-5
    influence = []
    for t in range(600):
        unit = np.eye(600)[t]
        ends = [estimate((1 - s) * base + s * unit) for s in (h, -h)]
        influence.append((ends[0] - ends[1]) / (2 * h))
    result = three_pass(returns, g, n_factors=3, lags=HAC(0, small_sample=False))
    assert result.params["g"] == pytest.approx(estimate(base), rel=1e-9)
    # The formula leaves out what vanishes as the number of assets grows.
    expected = np.sqrt(np.mean(np.square(influence)) / 600)
    assert result.std_errors["g"] == pytest.approx(expected, rel=0.1)


def test_number_of_factors_and_weak_factors() -> None:
    returns, g = market(0)
    assert count_factors(returns.to_numpy()) == 3
    assert three_pass(returns, g).n_factors == 3
    noise = pd.DataFrame({"noise": np.random.default_rng(1).normal(size=600)}, index=DATES)
    result = three_pass(returns, g.join(noise), n_factors=3)
    assert result.spanned["noise"] < 0.03
    assert result.strength.loc["noise", "p"] > 0.01
    assert result.strength.loc["g", "p"] < 1e-6
    assert "latent factors" in result.summary()
    with pytest.raises(ConfigError, match="n_factors"):
        three_pass(returns, g, n_factors=0)
