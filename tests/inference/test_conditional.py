"""Conditional models against one regression with products."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from alphastrata.errors import ConfigError
from alphastrata.inference.conditional import conditional_model


def test_conditional_model_is_a_regression_with_products(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    rng = np.random.default_rng(4)
    z = pd.DataFrame({"dy": rng.normal(3, 1, 180)}, index=factors.index)
    result = conditional_model(
        returns[["P1"]], factors[["Mkt-RF", "SMB"]], z, varying_alpha=True, lags=2
    )
    lagged = z["dy"].shift(1).dropna()
    lagged = lagged - lagged.mean()
    f = factors.loc[lagged.index, ["Mkt-RF", "SMB"]]
    x = np.column_stack([np.ones(179), f, f.mul(lagged, axis=0), lagged])
    fit = sm.OLS(returns["P1"].loc[lagged.index].to_numpy(), x).fit(
        cov_type="HAC", cov_kwds={"maxlags": 2, "use_correction": True}
    )
    np.testing.assert_allclose(result.params.loc["P1"], fit.params, rtol=1e-8)
    np.testing.assert_allclose(result.std_errors.loc["P1"], fit.bse, rtol=1e-8)
    wald = fit.wald_test(np.eye(6)[3:5], use_f=False, scalar=True)
    assert result.tests.loc["P1", "betas"] == pytest.approx(wald.statistic, rel=1e-8)
    assert "Mkt-RF x dy" in result.summary()


def test_instruments_precede_returns(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="precede"):
        conditional_model(returns, factors, factors, lag=0)


def test_order_of_instruments_does_not_matter(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    # Shifted before they are sorted, instruments in falling order would come from the future.
    z = pd.DataFrame({"dy": np.random.default_rng(4).normal(3, 1, 180)}, index=factors.index)
    rising, falling = (conditional_model(returns, factors, part) for part in (z, z.iloc[::-1]))
    pd.testing.assert_frame_equal(falling.params, rising.params)
    assert falling.statistics()[0].distribution == "chi2(3)"
