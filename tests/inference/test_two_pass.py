"""Two-pass premia against Sheppard, linearmodels and the infinitesimal jackknife."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.asset_pricing import LinearFactorModel

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference import HAC, joint_alphas
from alphastrata.inference.two_pass import estimate_two_pass, two_pass


@pytest.mark.realdata
def test_sheppard(published: Path) -> None:
    data = pd.read_csv(published / "sheppard_fama_french_1926_2011.csv")
    data.index = pd.to_datetime(data.pop("date").astype(str), format="%Y%m")
    excess = data.iloc[:, 4:].sub(data["RF"], axis=0)  # -99.99 stays a number, as he has it
    result = two_pass(excess, data.iloc[:, :3], intercept=False)
    np.testing.assert_allclose(12 * result.params, [6.6642, 2.8731, 2.8080], atol=5e-5)
    # He prints errors to three digits, from a GMM system; Shanken's agree in all of them.
    errors = np.sqrt(12) * result.all_errors["shanken"]
    np.testing.assert_allclose(errors, [0.599, 0.401, 0.430], atol=5e-4)
    # His J of 95.3 is a Wald test of the 25 alphas under White's covariance, scaled otherwise.
    joint = joint_alphas(excess, data.iloc[:, :3], lags=HAC(0, small_sample=False))
    assert joint.tests.loc["Wald HAC", "statistic"] == pytest.approx(95.3, rel=0.01)
    # Errors robust to misspecification, on his data: linearmodels.
    model = LinearFactorModel(excess, data.iloc[:, :3], risk_free=False)
    theirs = model.fit(cov_type="robust", debiased=False)
    ours = result.all_errors["misspecification-robust"]
    np.testing.assert_allclose(ours, theirs.risk_premia_se, rtol=1e-8)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("lags", [0, 4])
def test_ols_errors_are_linearmodels(
    returns: pd.DataFrame, factors: pd.DataFrame, intercept: bool, lags: int
) -> None:
    ours = two_pass(returns, factors, intercept=intercept, lags=lags)
    options = {"cov_type": "kernel", "bandwidth": lags} if lags else {"cov_type": "robust"}
    model = LinearFactorModel(returns, factors, risk_free=intercept)
    theirs = model.fit(debiased=False, **options)
    np.testing.assert_allclose(ours.params, theirs.risk_premia, rtol=1e-9)
    np.testing.assert_allclose(
        ours.all_errors["misspecification-robust"], theirs.risk_premia_se, rtol=1e-8
    )


def test_gls_premia_are_linearmodels(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    ours = two_pass(returns, factors, method="GLS")
    theirs = LinearFactorModel(returns, factors, risk_free=True, sigma=returns.cov()).fit()
    np.testing.assert_allclose(ours.params, theirs.risk_premia, rtol=1e-9)


def weighted_estimate(
    w: np.ndarray, y: np.ndarray, f: np.ndarray, method: str, intercept: bool
) -> np.ndarray:
    """Premia and R squared under weights of dates."""
    mean = w @ y
    centred, f_centred = y - mean, f - w @ f
    beta = np.linalg.solve(
        f_centred.T @ (w[:, None] * f_centred), f_centred.T @ (w[:, None] * centred)
    ).T
    x = np.column_stack([np.ones(len(beta)), beta]) if intercept else beta
    weigh = np.eye(len(beta))
    if method == "GLS":
        weigh = np.linalg.inv(centred.T @ (w[:, None] * centred))
    gamma = np.linalg.solve(x.T @ weigh @ x, x.T @ weigh @ mean)
    e, one = mean - x @ gamma, np.ones(len(beta))
    base = mean - (one @ weigh @ mean) / (one @ weigh @ one) if intercept else mean
    return np.r_[gamma, 1 - (e @ weigh @ e) / (base @ weigh @ base)]


@pytest.mark.parametrize("method", ["OLS", "GLS"])
@pytest.mark.parametrize("intercept", [True, False])
def test_robust_errors_are_the_jackknife(
    returns: pd.DataFrame, factors: pd.DataFrame, method: str, intercept: bool
) -> None:
    y, f = returns.to_numpy(), factors.to_numpy()[:, :2]
    base, h = np.full(180, 1 / 180), 1e-5
    influence = []
    for t in range(180):
        unit = np.eye(180)[t]
        ends = [
            weighted_estimate((1 - s) * base + s * unit, y, f, method, intercept) for s in (h, -h)
        ]
        influence.append((ends[0] - ends[1]) / (2 * h))
    expected = np.sqrt((np.array(influence) ** 2).mean(axis=0) / 180)
    numbers = estimate_two_pass(
        y, f, method=method, intercept=intercept, hac=HAC(0, small_sample=False)
    )
    robust = np.sqrt(np.diag(numbers.covariances["misspecification-robust"]))
    np.testing.assert_allclose(robust, expected[:-1], rtol=1e-6)
    assert numbers.r2_error == pytest.approx(expected[-1], rel=1e-6)


def test_shanken_is_his_formula(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = two_pass(returns, factors)
    x = np.column_stack([np.ones(8), result.betas])
    a = np.linalg.inv(x.T @ x) @ x.T
    e = returns - factors.to_numpy() @ result.betas.to_numpy().T
    sigma = np.cov(e.T, ddof=0)
    f_cov = np.cov(factors.T, ddof=0)
    g = result.params.to_numpy()[1:]
    c = g @ np.linalg.inv(f_cov) @ g
    expected = (1 + c) * a @ sigma @ a.T
    expected[1:, 1:] += f_cov
    np.testing.assert_allclose(result.std_errors, np.sqrt(np.diag(expected) / 180), rtol=1e-9)


def test_gls_with_traded_factors_gives_their_means(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    result = two_pass(returns, factors, method="GLS", traded=True, intercept=False)
    np.testing.assert_allclose(result.params, factors.mean(), rtol=1e-9)
    assert len(result.betas) == 11


def test_gls_test_of_pricing_errors(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = two_pass(returns, factors, method="GLS")
    e = returns - factors.to_numpy() @ result.betas.to_numpy().T
    sigma = np.cov(e.T, ddof=0)
    g = result.params.to_numpy()[1:]
    c = g @ np.linalg.inv(np.cov(factors.T, ddof=0)) @ g
    p = result.pricing_errors.to_numpy()
    expected = 180 * p @ np.linalg.inv(sigma) @ p / (1 + c)
    assert result.tests.loc["pricing errors", "statistic"] == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("intercept", [True, False])
def test_rank_test_of_one_factor_is_a_wald_test(
    returns: pd.DataFrame, factors: pd.DataFrame, intercept: bool
) -> None:
    f = factors["SMB"].to_numpy()
    result = two_pass(returns, factors[["SMB"]], intercept=intercept)
    b = result.betas["SMB"].to_numpy()
    centred = f - f.mean()
    e = (returns - returns.mean()).to_numpy() - np.outer(centred, b)
    covariance = e.T @ e / 180 / (centred @ centred)
    if intercept:
        contrast = np.diff(np.eye(8), axis=0)
        b, covariance = contrast @ b, contrast @ covariance @ contrast.T
    expected = b @ np.linalg.solve(covariance, b)
    row = result.tests.loc["rank of betas"]
    assert row["statistic"] == pytest.approx(expected, rel=1e-8)
    assert row["distribution"] == f"chi2({len(b)})"


def test_rank_test_has_its_size_with_a_useless_factor() -> None:
    rng = np.random.default_rng(0)
    dates = pd.date_range("1960-01-31", periods=400, freq="ME")
    rejected = 0
    for _ in range(120):
        f = pd.DataFrame(rng.normal(size=(400, 2)), dates, ["real", "useless"])
        y = np.outer(f["real"], np.linspace(0.5, 1.5, 6)) + rng.normal(size=(400, 6))
        test = two_pass(pd.DataFrame(y, dates), f).tests.loc["rank of betas"]
        rejected += test["p"] < 0.1
    assert 2 <= rejected <= 24


def test_looks_and_refusals(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = two_pass(returns, factors, errors="gmm")
    assert "t shanken" in result.summary()
    assert "95%" in result.summary()
    with pytest.raises(ConfigError, match="errors"):
        two_pass(returns, factors, errors="white")
    with pytest.raises(ConfigError, match="method"):
        two_pass(returns, factors, method="WLS")
    with pytest.raises(EstimationError, match="more assets"):
        two_pass(returns.iloc[:, :3], factors)


def test_more_assets_than_dates() -> None:
    rng = np.random.default_rng(5)
    dates = pd.date_range("2000-01-31", periods=60, freq="ME")
    f = pd.DataFrame(rng.normal(0.01, 0.05, (60, 1)), dates, ["f"])
    values = f.to_numpy() * rng.normal(1.0, 0.5, 80) + rng.normal(0, 0.02, (60, 80))
    assets = pd.DataFrame(values, dates)
    result = two_pass(assets, f)  # premia need no inverse of an 80 x 80 covariance
    assert result.params.notna().all()
    assert result.tests.empty
    assert "N = 80 assets are not below T - K = 59" in result.summary()
    # The factor among the assets, as traded factors are, changes nothing about that.
    assert two_pass(assets, f, traded=True).tests.empty
    with pytest.raises(EstimationError, match="more dates than assets; got T = 60, N = 80"):
        two_pass(assets, f, method="GLS")


def test_how_errors_were_computed_is_said(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    text = two_pass(returns, factors, lags=HAC("andrews", "parzen")).summary()
    assert "All errors but Shanken's: HAC, parzen kernel, andrews; T/(T - 1)." in text
