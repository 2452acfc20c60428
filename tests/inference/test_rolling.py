"""Rolling betas against statsmodels RollingOLS and against one regression per window."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.regression.rolling import RollingOLS

from alphastrata.errors import ConfigError
from alphastrata.inference.rolling import rolling_betas

RTOL = 1e-8


def test_statsmodels_rolling(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = rolling_betas(returns, factors, window=36)
    for asset in ("P1", "P8"):
        fit = RollingOLS(returns[asset], sm.add_constant(factors), window=36).fit()
        expected = fit.params.rename(columns={"const": "alpha"})
        for name in expected:
            np.testing.assert_allclose(
                result[name][asset], expected[name], rtol=RTOL, atol=1e-13, equal_nan=True
            )
        np.testing.assert_allclose(result.r2[asset], fit.rsquared, rtol=RTOL, equal_nan=True)
        np.testing.assert_allclose(
            result.residual_std[asset], np.sqrt(fit.mse_resid), rtol=RTOL, equal_nan=True
        )


@pytest.mark.parametrize("expanding", [False, True])
def test_missing_values_window_by_window(
    returns: pd.DataFrame, factors: pd.DataFrame, expanding: bool
) -> None:
    rng = np.random.default_rng(0)
    holes = returns.mask(rng.random(returns.shape) < 0.2)
    holes.iloc[:50, 3] = np.nan
    result = rolling_betas(holes, factors, window=40, min_periods=25, expanding=expanding)
    for end in (24, 39, 77, 179):
        first = 0 if expanding else max(end - 39, 0)
        for asset in holes:
            part = holes[asset].iloc[first : end + 1].dropna()
            got = result.at(holes.index[end]).loc[asset]
            if len(part) < 25:
                assert got.isna().all()
                continue
            fit = sm.OLS(part, sm.add_constant(factors.loc[part.index])).fit()
            np.testing.assert_allclose(got, fit.params, rtol=RTOL, atol=1e-13)
            assert result.nobs[asset].iloc[end] == len(part)


def test_long_series_do_not_drift() -> None:
    rng = np.random.default_rng(1)
    dates = pd.bdate_range("1990-01-01", periods=3000)
    factor = pd.DataFrame({"f": rng.normal(size=3000) + 50}, index=dates)
    asset = pd.Series(rng.normal(size=3000) + 0.5 * factor["f"], index=dates, name="A")
    asset.iloc[300] = 1e6
    result = rolling_betas(asset, factor, window=252)
    for end in (600, 1500, 2999):
        part = slice(end - 251, end + 1)
        expected = np.polyfit(factor["f"].iloc[part] - 50, asset.iloc[part], 1)[0]
        assert result["f"]["A"].iloc[end] == pytest.approx(expected, rel=1e-8)


def test_the_future_does_not_matter(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    from alphastrata.inference.rolling import rolling_regressions

    whole = rolling_betas(returns, factors, window=36)
    cut = rolling_betas(returns.iloc[:100], factors.iloc[:100], window=36)
    for name in whole.params:
        np.testing.assert_array_equal(whole[name].iloc[:100], cut[name])
    assert rolling_regressions(factors.to_numpy(), np.empty((0, 180)), 36, 36)[0].shape[1] == 0


def test_long_frame_and_repr(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = rolling_betas(returns, factors, window=60)
    long = result.long()
    assert list(long.index.names) == ["date", "asset"]
    assert "beta_SMB" in long
    assert len(long) == (180 - 59) * 8
    assert "rolling 60" in repr(result)


def test_refusals(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="min_periods"):
        rolling_betas(returns, factors, window=60, min_periods=4)
    with pytest.raises(ConfigError, match="min_periods"):
        rolling_betas(returns, factors, expanding=True)
