"""Least squares of many series against statsmodels, one by one."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.least_squares import fit_columns, fit_complete

RTOL = 1e-9
RNG = np.random.default_rng(7)
X = np.column_stack([np.ones(180), RNG.normal(0.005, 0.04, (180, 3))])
Y = X @ RNG.normal(size=(4, 37)) + RNG.standard_t(4, size=(180, 37)) * 0.02


def reference(y: np.ndarray, covariance: str, lags: int, small: bool) -> sm.OLS:
    model = sm.OLS(y, X[: len(y)])
    if covariance == "hac":
        return model.fit(cov_type="HAC", cov_kwds={"maxlags": lags, "use_correction": small})
    return model.fit(cov_type=covariance)


@pytest.mark.parametrize("covariance", ["nonrobust", "HC0", "HC1", "HC2", "HC3", "hac"])
@pytest.mark.parametrize("lags", [0, 6])
def test_statsmodels(covariance: str, lags: int) -> None:
    fit = fit_complete(X, Y, covariance=covariance, lags=lags)
    for asset in (0, 16, 36):
        expected = reference(Y[:, asset], covariance, lags, True)
        np.testing.assert_allclose(fit.params[:, asset], expected.params, rtol=RTOL)
        np.testing.assert_allclose(fit.std_errors[:, asset], expected.bse, rtol=RTOL)
        assert fit.r2[asset] == pytest.approx(expected.rsquared, rel=RTOL)


def test_no_small_sample_factor() -> None:
    fit = fit_complete(X, Y, lags=4, small_sample=False)
    np.testing.assert_allclose(
        fit.std_errors[:, 3], reference(Y[:, 3], "hac", 4, False).bse, rtol=RTOL
    )


@pytest.mark.parametrize("order", ["C", "F"])
def test_memory_layout_does_not_matter(order: str) -> None:
    expected = fit_complete(X, Y).std_errors
    np.testing.assert_allclose(
        fit_complete(X, np.asarray(Y, order=order)).std_errors, expected, rtol=1e-13
    )


@pytest.mark.parametrize("kernel", ["parzen", "quadratic-spectral"])
def test_other_kernels_agree_with_the_sandwich(kernel: str) -> None:
    from alphastrata.inference.hac import long_run_covariance, select_bandwidth

    fit = fit_complete(X, Y[:, :2], lags=5, kernel=kernel, small_sample=False)
    scores = X * fit.residuals[:, 1:2]
    middle = long_run_covariance(scores, select_bandwidth(scores, 5, kernel), kernel) * len(X)
    bread = np.linalg.inv(X.T @ X)
    np.testing.assert_allclose(
        fit.std_errors[:, 1], np.sqrt(np.diag(bread @ middle @ bread)), rtol=1e-8
    )


def test_gaps_are_closed_up_as_in_statsmodels() -> None:
    holes = Y.copy()
    holes[:40, 1] = np.nan
    holes[RNG.random(180) < 0.2, 2] = np.nan
    holes[5:, 3] = np.nan
    fit = fit_columns(X, holes, lags=6, min_periods=10)
    for asset in (0, 1, 2):
        rows = ~np.isnan(holes[:, asset])
        expected = sm.OLS(holes[rows, asset], X[rows]).fit(
            cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": True}
        )
        np.testing.assert_allclose(fit.params[:, asset], expected.params, rtol=RTOL)
        np.testing.assert_allclose(fit.std_errors[:, asset], expected.bse, rtol=RTOL)
        assert fit.nobs[asset] == rows.sum()
    assert np.isnan(fit.params[:, 3]).all()


def test_large_means_keep_their_digits() -> None:
    x = np.column_stack([np.ones(200), 1e6 + np.random.default_rng(0).normal(size=200)])
    truth = np.random.default_rng(1).normal(size=200)
    slope = np.polyfit(x[:, 1] - x[:, 1].mean(), truth, 1)[0]
    assert fit_complete(x, truth[:, None]).params[1, 0] == pytest.approx(slope, rel=1e-9)


def test_refusals() -> None:
    with pytest.raises(EstimationError, match="collinear"):
        fit_complete(np.column_stack([X, X[:, 1] + X[:, 2]]), Y)
    with pytest.raises(EstimationError, match="more than 4"):
        fit_complete(X[:4], Y[:4])
    with pytest.raises(ConfigError, match="covariance"):
        fit_complete(X, Y, covariance="HC9")


@pytest.mark.parametrize("lags", [0, 5, 59, "stock-watson"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_thousands_of_series_are_as_single_ones(lags: int | str, order: str) -> None:
    rng = np.random.default_rng(8)
    x = np.column_stack([np.ones(60), rng.normal(0.01, 0.05, (60, 2))])
    y = np.asarray(x @ rng.normal(size=(3, 701)) + rng.normal(size=(60, 701)), order=order)
    many = fit_columns(x, y, lags=lags)
    few = fit_complete(x, np.ascontiguousarray(y[:, 690:]), lags=lags)
    for name in ("params", "std_errors", "ssr", "nobs", "r2"):
        ours = getattr(many, name)[..., 690:]
        np.testing.assert_allclose(ours, getattr(few, name), rtol=1e-10, err_msg=name)
    assert many.bandwidths == few.bandwidths
    assert many.residuals.shape == (60, 0)
    # Bits do not depend on which other series are there.
    part = fit_columns(x, np.asarray(y[:, 100:], order=order), lags=lags)
    np.testing.assert_array_equal(part.std_errors, many.std_errors[:, 100:])


def test_thousands_of_series_with_gaps() -> None:
    rng = np.random.default_rng(9)
    x = np.column_stack([np.ones(60), rng.normal(size=60)])
    y = rng.normal(size=(60, 600))
    y[3, 17] = np.nan
    many = fit_columns(x, y, lags=4)
    assert many.nobs[17] == 59
    kept = np.delete(np.arange(60), 3)
    one = fit_complete(x[kept], y[kept, 17:18], lags=4)
    np.testing.assert_allclose(many.std_errors[:, 17:18], one.std_errors, rtol=1e-10)
