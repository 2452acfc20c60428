"""Luck and skill: weights against repeated rows, no skill, planted skill."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.luck import bootstrap_alphas, weighted_alphas

DATES = pd.date_range("1990-01-31", periods=120, freq="ME")


def funds(seed: int, skill: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    f = rng.normal(0.005, 0.04, (120, 2))
    y = f @ rng.normal(0.5, 0.3, (2, 80)) + rng.normal(0, 0.02, (120, 80))
    y[:, :16] += skill
    y[rng.random(y.shape) < 0.1] = np.nan
    return pd.DataFrame(y, DATES), pd.DataFrame(f, DATES, ["a", "b"])


def test_weights_are_repeated_rows() -> None:
    y, f = funds(0, 0.0)
    x = np.column_stack([np.ones(120), f])
    weights = np.bincount(np.random.default_rng(1).integers(0, 120, 120), minlength=120)
    a, e, dof = weighted_alphas(x, y.to_numpy(), weights.astype(float), 8)
    rows = np.repeat(np.arange(120), weights)
    for j in (0, 40, 79):
        part = y.iloc[rows, j].to_numpy()
        kept = ~np.isnan(part)
        fit = sm.OLS(part[kept], x[rows][kept]).fit()
        assert a[j] == pytest.approx(fit.params[0], rel=1e-8)
        assert e[j] == pytest.approx(fit.bse[0], rel=1e-8)
        assert dof[j] == fit.df_resid


@pytest.mark.parametrize("method", ["fama-french", "kosowski"])
def test_skill_shows_in_the_right_tail_alone(method: str) -> None:
    none = bootstrap_alphas(*funds(2, 0.0), method=method, draws=150).percentiles["% below"]
    assert 2 < none[50] < 98
    some = bootstrap_alphas(*funds(2, 0.008), method=method, draws=150).percentiles["% below"]
    assert some[95] > 99
    assert some[5] > 1


def test_short_funds_are_left_out_and_said() -> None:
    y, f = funds(3, 0.0)
    y.iloc[5:, 0] = np.nan
    result = bootstrap_alphas(y, f, draws=99)
    assert len(result.params) == 79
    assert result.notes[-1].count == 1
    assert "Luck and skill" in result.summary()
    assert result.alphas_table().shape == (79, 4)


def test_refusals() -> None:
    y, f = funds(4, 0.0)
    with pytest.raises(ConfigError, match="method"):
        bootstrap_alphas(y, f, method="bayes")
    with pytest.raises(ConfigError, match="draws"):
        bootstrap_alphas(y, f, draws=5)
    with pytest.raises(ConfigError, match="min_periods"):
        bootstrap_alphas(y, f, min_periods=2)
    with pytest.raises(EstimationError, match="No asset"):
        bootstrap_alphas(y, f, min_periods=1000)
