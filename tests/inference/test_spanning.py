"""Spanning tests against GRS, determinants and statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from alphastrata.core import FactorReturns
from alphastrata.errors import InputDataError
from alphastrata.inference import grs, huberman_kandel, spanning, tangency


@pytest.fixture(scope="module")
def total(returns: pd.DataFrame, factors: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return returns + 0.004, factors + 0.004


def test_britten_jones_equals_grs(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    tests = spanning(returns, factors).tests
    assert tests.loc["Britten-Jones", "statistic"] == pytest.approx(
        tests.loc["GRS", "statistic"], rel=1e-9
    )
    assert tests.loc["GRS", "statistic"] == grs(returns, factors).statistic


def test_gain_in_squared_sharpe_is_the_alpha_part(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    result = spanning(returns[["P1", "P2"]], factors)
    assert result.sharpe["gain"] == pytest.approx(
        grs(returns[["P1", "P2"]], factors).measures["Sh2(alpha)"], rel=1e-9
    )
    one = spanning(returns["P1"], factors)
    assert one.tests.loc["Wald HAC", "statistic"] == pytest.approx(
        one.tstats.loc["P1", "alpha"] ** 2, rel=1e-9
    )
    assert "Sh2(old)" in one.summary()


def determinants(y: np.ndarray, x: np.ndarray) -> list[float]:
    """|Sigma| unrestricted, with alpha = 0, and with delta = 0 too, by constrained regression."""
    n, m = y.shape
    k = x.shape[1]
    ones = np.ones((n, 1))
    out = []
    for stage in range(3):
        if stage == 2:
            contrast = np.hstack([np.eye(k - 1), -np.ones((k - 1, 1))]) if k > 1 else None
            design = x @ contrast.T if contrast is not None else np.zeros((n, 0))
            target = y - x[:, [-1]]
        else:
            design = np.hstack([ones, x]) if stage == 0 else x
            target = y
        b = np.linalg.lstsq(design, target, rcond=None)[0] if design.shape[1] else 0
        e = target - design @ b if design.shape[1] else target
        out.append(np.linalg.det(e.T @ e / n))
    return out


@pytest.mark.parametrize("assets", [1, 3])
def test_kan_zhou(total: tuple[pd.DataFrame, pd.DataFrame], assets: int) -> None:
    y, x = total[0].iloc[:, :assets], total[1]
    tests = huberman_kandel(y, x).tests
    free, no_alpha, both = determinants(y.to_numpy(), x.to_numpy())
    n, k, m = 180, 3, assets
    assert tests.loc["LR", "statistic"] == pytest.approx(n * np.log(both / free), rel=1e-8)
    if m == 1:
        f, df = (both / free - 1) * (n - k - 1) / 2, (2, n - k - 1)
    else:
        f, df = (np.sqrt(both / free) - 1) * (n - k - m) / m, (2 * m, 2 * (n - k - m))
    assert tests.loc["F", "statistic"] == pytest.approx(f, rel=1e-8)
    assert tests.loc["F", "p"] == pytest.approx(stats.f.sf(f, *df), rel=1e-7)
    f1 = (no_alpha / free - 1) * (n - k - m) / m
    f2 = (both / no_alpha - 1) * (n - k - m + 1) / m
    assert tests.loc["step-down F1", "statistic"] == pytest.approx(f1, rel=1e-7)
    assert tests.loc["step-down F2", "statistic"] == pytest.approx(f2, rel=1e-8)
    lm, lr, wald = (tests.loc[t, "statistic"] for t in ("LM", "LR", "Wald"))
    assert lm <= lr <= wald


def test_robust_spanning_is_a_wald_test(total: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    y, x = total[0]["P1"], total[1]
    tests = huberman_kandel(y, x, lags=3).tests
    fit = sm.OLS(y.to_numpy(), sm.add_constant(x).to_numpy()).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3, "use_correction": True}
    )
    wald = fit.wald_test(([[1, 0, 0, 0], [0, 1, 1, 1]], [0, 1]), use_f=False, scalar=True)
    assert tests.loc["Wald HAC", "statistic"] == pytest.approx(wald.statistic, rel=1e-7)


def test_tangency_weights(factors: pd.DataFrame) -> None:
    result = tangency(factors)
    raw = np.linalg.solve(factors.cov(), factors.mean())
    np.testing.assert_allclose(result.params, raw / raw.sum(), rtol=1e-9)
    fit = sm.OLS(np.ones(180), factors).fit()
    np.testing.assert_allclose(result.tstats, fit.tvalues, rtol=1e-9)
    np.testing.assert_allclose(result.pvalues, fit.pvalues, rtol=1e-8)
    assert "Britten-Jones" in result.summary()


def test_zero_cost_returns_are_refused(total: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    new = FactorReturns(total[0], kind="zero_cost")
    with pytest.raises(InputDataError, match="total returns"):
        huberman_kandel(new, total[1])
