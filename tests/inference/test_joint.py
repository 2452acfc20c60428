"""Joint tests against linearmodels, brute force and each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from linearmodels.asset_pricing import TradedFactorModel
from linearmodels.system import IVSystemGMM
from scipy import stats
from scipy.optimize import minimize

from alphastrata.errors import EstimationError
from alphastrata.inference import HAC, grs, time_series
from alphastrata.inference.hac import long_run_covariance
from alphastrata.inference.joint import gmm_j, joint_alphas, stacked_scores


def test_wald_and_lr_are_functions_of_grs(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    tests = joint_alphas(returns, factors).tests["statistic"]
    f = grs(returns, factors).statistic
    assert tests["GRS"] == pytest.approx(f, rel=1e-12)
    assert tests["Wald"] == pytest.approx(f * 180 * 8 / (180 - 8 - 3), rel=1e-10)
    assert tests["LR"] == pytest.approx(180 * np.log(1 + tests["Wald"] / 180), rel=1e-12)


@pytest.mark.parametrize("lags", [0, 5])
def test_robust_wald_is_linearmodels(
    returns: pd.DataFrame, factors: pd.DataFrame, lags: int
) -> None:
    ours = joint_alphas(returns, factors, lags=HAC(lags, small_sample=False))
    options = {"cov_type": "kernel", "bandwidth": lags} if lags else {"cov_type": "robust"}
    theirs = TradedFactorModel(returns, factors).fit(debiased=False, **options)
    assert ours.tests.loc["Wald HAC", "statistic"] == pytest.approx(
        theirs.j_statistic.stat, rel=1e-8
    )
    assert ours.tests.loc["Wald HAC", "p"] == pytest.approx(theirs.j_statistic.pval, rel=1e-7)


def test_alpha_errors_are_those_of_each_regression(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    joint = joint_alphas(returns, factors, lags=4)
    alone = time_series(returns, factors, lags=4)
    np.testing.assert_allclose(joint.std_errors, alone.std_errors["alpha"], rtol=1e-9)
    np.testing.assert_allclose(joint.pvalues, alone.pvalues["alpha"], rtol=1e-7)


def test_gmm_j_is_the_minimum(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    y, f = returns.iloc[:, :3].to_numpy(), factors.to_numpy()[:, :2]
    x = np.column_stack([np.ones(180), f])
    e = y - f @ np.linalg.lstsq(f, y, rcond=None)[0]  # the first step, alphas of zero
    weight = np.linalg.inv(long_run_covariance(stacked_scores(x, e), 4.0))

    def objective(b: np.ndarray) -> float:
        m = stacked_scores(x, y - f @ b.reshape(2, 3)).mean(axis=0)
        return float(180 * m @ weight @ m)

    expected = minimize(objective, np.ones(6), method="BFGS", options={"gtol": 1e-12})
    ours = joint_alphas(returns.iloc[:, :3], factors.iloc[:, :2], lags=3)
    assert ours.tests.loc["GMM J", "statistic"] == pytest.approx(expected.fun, rel=1e-7)
    assert ours.tests.loc["GMM J", "p"] == pytest.approx(stats.chi2.sf(expected.fun, 3), rel=1e-6)


@pytest.mark.parametrize("lags", [0, 4])
def test_gmm_j_is_linearmodels(returns: pd.DataFrame, factors: pd.DataFrame, lags: int) -> None:
    r, f = returns.iloc[:, :4], factors.iloc[:, :2]
    instruments = f.add_suffix(" itself").assign(one=1.0)
    equations = {
        name: {"dependent": r[[name]], "exog": None, "endog": f, "instruments": instruments}
        for name in r
    }
    kind = {"weight_type": "kernel", "kernel": "bartlett", "bandwidth": lags} if lags else {}
    system = IVSystemGMM(equations, **kind).fit(iter_limit=2)
    ours = joint_alphas(r, f, lags=HAC(lags, small_sample=False)).tests
    assert ours.loc["GMM J", "statistic"] == pytest.approx(system.j_stat.stat, rel=1e-8)
    assert abs(ours.loc["GMM J", "statistic"] / ours.loc["Wald HAC", "statistic"] - 1) > 1e-3


def test_measures_are_those_of_grs(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    ours, exact = joint_alphas(returns, factors, lags=6).measures, grs(returns, factors).measures
    pd.testing.assert_series_equal(ours, exact[ours.index])


def test_refusals_and_looks(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    short = joint_alphas(returns.iloc[:30], factors.iloc[:30])
    assert "GMM J" not in short.tests.index
    assert "GMM J left out: 32 moments for 30 dates" in short.summary()
    with pytest.raises(EstimationError, match="fewer moments"):
        gmm_j(np.ones((30, 4)), np.ones((30, 8)), HAC(0))
    with pytest.raises(EstimationError, match="T - K"):
        joint_alphas(returns.iloc[:11], factors.iloc[:11])
    assert "GMM J = " in joint_alphas(returns, factors).summary()
