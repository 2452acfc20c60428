"""Stability tests against statsmodels and against regressions by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.diagnostic import breaks_cusumolsresid, recursive_olsresiduals

from alphastrata.errors import InputDataError
from alphastrata.inference.stability import (
    _recursive_pvalue,
    chow,
    cusum,
    recursive_residuals,
)


def test_chow_is_the_f_of_three_regressions(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = chow(returns, factors, "1997-01-01")
    x = sm.add_constant(factors)
    before = x.index < "1997-01-01"
    parts = [sm.OLS(returns["P1"][m], x[m]).fit().ssr for m in (before, ~before)]
    whole = sm.OLS(returns["P1"], x).fit().ssr
    expected = ((whole - sum(parts)) / 4) / (sum(parts) / (180 - 8))
    assert result.tests.loc["P1", "F"] == pytest.approx(expected, rel=1e-9)


def test_robust_chow_is_a_wald_test(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = chow(returns, factors, "1997-01-01", lags=4)
    x = sm.add_constant(factors)
    both = np.column_stack([x, x.mul(x.index >= "1997-01-01", axis=0)])
    fit = sm.OLS(returns["P2"].to_numpy(), both).fit(
        cov_type="HAC", cov_kwds={"maxlags": 4, "use_correction": True}
    )
    expected = fit.wald_test(np.eye(8)[4:], use_f=False, scalar=True)
    assert result.tests.loc["P2", "Wald"] == pytest.approx(expected.statistic, rel=1e-8)
    assert result.tests.loc["P2", "Wald p"] == pytest.approx(float(expected.pvalue), rel=1e-7)
    np.testing.assert_allclose(result.std_errors.loc["P2"], fit.bse[4:], rtol=1e-8)


def test_cusum_is_statsmodels(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = cusum(returns, factors)
    fit = sm.OLS(returns["P3"], sm.add_constant(factors)).fit()
    statistic, pvalue, _ = breaks_cusumolsresid(fit.resid, ddof=4)
    assert result.tests.loc["P3", "OLS"] == pytest.approx(statistic, rel=1e-9)
    assert result.tests.loc["P3", "OLS p"] == pytest.approx(pvalue, abs=1e-9)


def test_recursive_residuals_are_statsmodels(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    x = sm.add_constant(factors).to_numpy()
    ours = recursive_residuals(x, returns[["P1"]].to_numpy())[:, 0]
    fit = sm.OLS(returns["P1"].to_numpy(), x).fit()
    theirs = recursive_olsresiduals(fit, skip=4)[4]
    np.testing.assert_allclose(ours[1:], theirs[5:], rtol=1e-7)
    assert (ours**2).sum() == pytest.approx(fit.ssr, rel=1e-9)


def test_recursive_critical_values() -> None:
    # Brown, Durbin and Evans (1975): 1.143, 0.948 and 0.850 at 1%, 5% and 10%
    for value, level in ((1.143, 0.01), (0.948, 0.05), (0.850, 0.10)):
        assert _recursive_pvalue(value) == pytest.approx(level, abs=3e-4)


def test_a_planted_break_is_found() -> None:
    rng = np.random.default_rng(0)
    dates = pd.date_range("1990-01-31", periods=240, freq="ME")
    factor = pd.DataFrame({"f": rng.normal(size=240)}, index=dates)
    level = np.where(np.arange(240) < 120, 0.0, 1.0)
    y = pd.DataFrame({"A": level + factor["f"] + rng.normal(size=240)}, index=dates)
    assert (cusum(y, factor).tests[["OLS p", "recursive p"]] < 0.01).all().all()
    assert "CUSUM" in cusum(y, factor).summary()


def test_break_needs_two_sides(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    with pytest.raises(InputDataError, match="Both sides"):
        chow(returns, factors, "1990-03-01")
