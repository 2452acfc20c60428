"""Dimson, downside and conditional betas against statsmodels."""

from __future__ import annotations

import pandas as pd
import pytest
import statsmodels.api as sm

from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.betas import dimson_beta, downside_beta


def test_dimson_is_a_sum_with_its_error(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    market = factors[["Mkt-RF"]]
    result = dimson_beta(returns, market, lags=2, leads=1, errors=3)
    m = market["Mkt-RF"]
    x = sm.add_constant(pd.concat([m, m.shift(1), m.shift(2), m.shift(-1)], axis=1).dropna())
    fit = sm.OLS(returns["P1"].loc[x.index].to_numpy(), x.to_numpy()).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}, use_t=True
    )
    test = fit.t_test([0, 1, 1, 1, 1])
    assert result.params.loc["P1", "beta"] == pytest.approx(test.effect[0], rel=1e-9)
    assert result.std_errors.loc["P1", "beta"] == pytest.approx(test.sd[0, 0], rel=1e-8)
    assert result.pvalues.loc["P1", "beta"] == pytest.approx(float(test.pvalue), rel=1e-6)


@pytest.mark.parametrize("threshold", ["mean", "mean-sd", 0.0])
def test_downside_is_a_regression_below(
    returns: pd.DataFrame, factors: pd.DataFrame, threshold: float | str
) -> None:
    m = factors["Mkt-RF"]
    cut = {"mean": m.mean(), "mean-sd": m.mean() - m.std()}.get(threshold, 0.0)
    result = downside_beta(returns, factors[["Mkt-RF"]], threshold=threshold)
    for kind, dates in (("downside", m < cut), ("upside", m >= cut), ("beta", m == m)):
        fit = sm.OLS(returns["P2"][dates], sm.add_constant(m[dates])).fit(cov_type="HC1")
        assert result.params.loc["P2", kind] == pytest.approx(fit.params["Mkt-RF"], rel=1e-9)
        assert result.std_errors.loc["P2", kind] == pytest.approx(fit.bse["Mkt-RF"], rel=1e-9)


def test_refusals(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    with pytest.raises(InputDataError, match="one factor"):
        dimson_beta(returns, factors)
    with pytest.raises(ConfigError, match="at least one lag"):
        dimson_beta(returns, factors[["SMB"]], lags=0)
    with pytest.raises(ConfigError, match="threshold"):
        downside_beta(returns, factors[["SMB"]], threshold="median")
    with pytest.raises(InputDataError, match="three dates"):
        downside_beta(returns, factors[["SMB"]], threshold=-9.0)
