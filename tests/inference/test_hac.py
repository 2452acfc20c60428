"""Long-run covariances against R's sandwich, statsmodels, linearmodels and brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv.covariance import KERNEL_LOOKUP
from linearmodels.shared.covariance import cov_kernel
from statsmodels.datasets import macrodata
from statsmodels.stats.sandwich_covariance import S_hac_simple

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.hac import (
    HAC,
    fixed_lags,
    kernel_weights,
    long_run_covariance,
    mean_covariance,
    select_bandwidth,
)
from alphastrata.inference.least_squares import fit_complete

RTOL = 1e-10
SCORES = np.random.default_rng(1).normal(size=(150, 3)).cumsum(axis=0) * 0.1


@pytest.fixture
def investment(real_data: Path) -> tuple[np.ndarray, np.ndarray]:
    data = pd.read_csv(real_data / "published" / "investment.csv").dropna()
    x = np.column_stack([np.ones(len(data)), data["RealGNP"], data["RealInt"]])
    return x, data["RealInv"].to_numpy()[:, None]


SANDWICH = {
    # variances printed by R's sandwich for lm(RealInv ~ RealGNP + RealInt)
    "NeweyWest(lag = 4, prewhite = FALSE)": (
        {"lags": 4, "small_sample": False},
        [359.4170681, 0.0002805888, 11.171472998],
    ),
    "NeweyWest()": (
        {"lags": "newey-west-prewhitened", "small_sample": False},
        [594.1004817, 0.0005563172, 13.24912546],
    ),
    "kernHAC(bw = bwNeweyWest)": (
        {"lags": "newey-west-prewhitened", "kernel": "quadratic-spectral"},
        [794.986166, 0.0007537517, 17.58798679],
    ),
    "kernHAC()": (
        {"lags": "andrews-prewhitened", "kernel": "quadratic-spectral"},
        [788.6120652, 0.0007483977, 17.71735491],
    ),
    "vcov()": ({"covariance": "nonrobust"}, [620.770617, 0.0004229789, 5.61097245]),
}


@pytest.mark.realdata
@pytest.mark.parametrize("call", SANDWICH)
def test_r_sandwich(investment: tuple[np.ndarray, np.ndarray], call: str) -> None:
    options, printed = SANDWICH[call]
    fit = fit_complete(*investment, **options)
    np.testing.assert_allclose(fit.std_errors[:, 0] ** 2, printed, rtol=2e-7)


@pytest.mark.realdata
def test_andrews_bandwidth_printed(investment: tuple[np.ndarray, np.ndarray]) -> None:
    fit = fit_complete(*investment, lags="andrews-prewhitened", kernel="quadratic-spectral")
    assert fit.bandwidths[0].value == pytest.approx(1.744749, abs=5e-7)


def test_stata_newey() -> None:
    # Stata: newey g_realinv g_realgdp L.realint, lag(4), on statsmodels' macrodata
    data = macrodata.load_pandas().data
    growth = 400 * np.log(data[["realgdp", "realinv"]]).diff().iloc[1:]
    x = np.column_stack([np.ones(202), growth["realgdp"], data["realint"].iloc[:-1]])
    fit = fit_complete(x, growth[["realinv"]].to_numpy(), lags=4)
    np.testing.assert_allclose(
        fit.params[:, 0], [-9.4816727746549, 4.3742216647032, -0.61399696947899], rtol=1e-8
    )
    np.testing.assert_allclose(
        fit.std_errors[:, 0], [1.1859338087713, 0.33125644884286, 0.29582347593197], rtol=1e-8
    )


@pytest.mark.parametrize("lags", [0, 1, 6, 40, 149])
def test_bartlett_is_statsmodels(lags: int) -> None:
    expected = S_hac_simple(SCORES, nlags=lags) / len(SCORES)
    np.testing.assert_allclose(long_run_covariance(SCORES, lags + 1.0), expected, rtol=RTOL)


@pytest.mark.parametrize("kernel", ["bartlett", "parzen", "quadratic-spectral"])
@pytest.mark.parametrize("lags", [1, 5, 33, 60])
def test_kernels_are_linearmodels(kernel: str, lags: int) -> None:
    weights = KERNEL_LOOKUP[kernel](lags, len(SCORES) - 1)
    chosen = select_bandwidth(SCORES, lags, kernel)
    np.testing.assert_allclose(
        long_run_covariance(SCORES, chosen, kernel), cov_kernel(SCORES, weights), rtol=1e-9
    )


def test_fractional_bandwidth_is_brute_force() -> None:
    for kernel in ("bartlett", "parzen", "quadratic-spectral"):
        weights = kernel_weights(150, 7.3, kernel)
        expected = SCORES.T @ SCORES
        for lag in range(1, 150):
            cross = SCORES[lag:].T @ SCORES[:-lag]
            expected = expected + weights[lag] * (cross + cross.T)
        np.testing.assert_allclose(
            long_run_covariance(SCORES, 7.3, kernel), expected / 150, rtol=1e-9
        )


def test_kernel_weights_stop_at_the_bandwidth() -> None:
    assert kernel_weights(5, 0.0).tolist() == [1, 0, 0, 0, 0]
    assert kernel_weights(5, 3.0, "parzen")[3:].tolist() == [0, 0]
    assert kernel_weights(9, 4.0, "parzen")[2] == pytest.approx(0.25)


def test_fixed_rules() -> None:
    assert fixed_lags(100, "rule-of-thumb") == 4
    assert fixed_lags(1000, "stock-watson") == 7


def test_mean_covariance_without_lags_is_the_classical_error() -> None:
    covariance, _ = mean_covariance(SCORES, 0)
    np.testing.assert_allclose(covariance, np.cov(SCORES.T) / 150, rtol=RTOL)


@pytest.mark.parametrize("lags", [-1, 150, 2.5, "weekly", True])
def test_bad_lags_are_refused(lags: object) -> None:
    with pytest.raises(ConfigError, match="lags"):
        select_bandwidth(SCORES, lags)


def test_constant_scores_have_no_automatic_bandwidth() -> None:
    with pytest.raises(EstimationError, match="number of lags"):
        select_bandwidth(np.zeros((50, 1)), "newey-west")


def test_hac_options_are_checked_at_once() -> None:
    with pytest.raises(ConfigError, match="lags"):
        HAC(lags=-1)
    with pytest.raises(ConfigError, match="kernel"):
        HAC(kernel="box")
