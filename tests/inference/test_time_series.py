"""Alphas and betas against statsmodels."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from alphastrata.errors import EstimationError
from alphastrata.inference import HAC, time_series

RTOL = 1e-8


def test_statsmodels(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = time_series(returns, factors, lags=6)
    for asset in returns:
        expected = sm.OLS(returns[asset], sm.add_constant(factors)).fit(
            cov_type="HAC", cov_kwds={"maxlags": 6, "use_correction": True}, use_t=True
        )
        for ours, theirs in (
            (result.params, expected.params),
            (result.std_errors, expected.bse),
            (result.tstats, expected.tvalues),
            (result.pvalues, expected.pvalues),
        ):
            np.testing.assert_allclose(ours.loc[asset], theirs, rtol=RTOL)
        assert result.r2[asset] == pytest.approx(expected.rsquared, rel=RTOL)
        assert result.r2_adjusted[asset] == pytest.approx(expected.rsquared_adj, rel=RTOL)
        assert result.residual_std[asset] == pytest.approx(np.sqrt(expected.scale), rel=RTOL)
        np.testing.assert_allclose(result.residuals[asset], expected.resid, atol=1e-14)


def test_normal_pvalues_without_the_small_sample_factor(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    result = time_series(returns["P1"], factors, lags=HAC(3, small_sample=False))
    expected = sm.OLS(returns["P1"], sm.add_constant(factors)).fit(
        cov_type="HAC", cov_kwds={"maxlags": 3}
    )
    np.testing.assert_allclose(result.pvalues.loc["P1"], expected.pvalues, rtol=RTOL)


def test_residual_covariance_and_information_ratio(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    result = time_series(returns, factors)
    e = result.residuals.to_numpy()
    np.testing.assert_allclose(result.residual_covariance, e.T @ e / 180, rtol=1e-12)
    np.testing.assert_allclose(
        result.information_ratio, result.alphas / result.residual_std, rtol=1e-12
    )


def test_missing_data_by_asset(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    holes = returns.copy()
    holes.iloc[:60, 2] = np.nan
    holes.iloc[3:, 4] = np.nan
    result = time_series(holes, factors)
    alone = time_series(holes["P3"].dropna(), factors)
    np.testing.assert_allclose(result.params.loc["P3"], alone.params.loc["P3"], rtol=1e-12)
    np.testing.assert_allclose(result.std_errors.loc["P3"], alone.std_errors.loc["P3"], rtol=1e-12)
    assert result.params.loc["P5"].isna().all()
    assert result.nobs["P5"] == 3
    assert result.notes[-1].count == 1


@pytest.mark.parametrize(
    "lags",
    [
        "newey-west",
        "newey-west-prewhitened",
        "andrews",
        "andrews-prewhitened",
        "rule-of-thumb",
        "stock-watson",
        HAC("andrews", "quadratic-spectral"),
        HAC(4, "parzen"),
    ],
)
def test_every_rule_prints_itself(
    returns: pd.DataFrame, factors: pd.DataFrame, lags: object
) -> None:
    result = time_series(returns, factors, lags=lags)
    assert (result.std_errors > 0).all().all()
    assert "lags" in result.summary() or "bandwidth" in result.summary()


def test_looks(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = time_series(returns, factors)
    assert result.table().shape == (32, 4)
    assert time_series(returns["P1"], factors).table().shape == (4, 4)
    text = str(result.summary())
    assert "Newey-West, bartlett kernel, 6 lags; T/(T - K), Student's t" in text
    assert "***" in text
    assert r"\toprule" in result.to_latex()
    assert "<table" in result._repr_html_()


def test_without_factors_alphas_are_means(returns: pd.DataFrame) -> None:
    result = time_series(returns, lags=0)
    np.testing.assert_allclose(result.alphas, returns.mean(), rtol=1e-12)
    np.testing.assert_allclose(result.std_errors["alpha"], returns.std() / 180**0.5, rtol=1e-12)
    np.testing.assert_allclose(result.r2, 0.0, atol=1e-12)
    assert "Mean returns" in result.summary()


def test_too_few_dates(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = time_series(returns.iloc[:4], factors)
    assert result.params.isna().all().all()
    with pytest.raises(EstimationError, match="collinear"):
        time_series(returns, factors.assign(twice=2 * factors["SMB"]))


def test_conventions_follow_the_small_sample_factor(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    for covariance in ("HC3", "nonrobust"):
        for small, words in ((True, "t(T - K)."), (False, "normal.")):
            hac = HAC(small_sample=small)
            text = time_series(returns, factors, covariance=covariance, lags=hac).conventions()
            assert text[1].endswith(words)


def test_rounding_errors_are_no_errors(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    odd = returns.assign(P2=0.01, P3=factors["SMB"] - factors["HML"])
    odd.iloc[6:, 3] = np.nan
    result = time_series(odd, factors, lags=6)
    assert result.std_errors.loc[["P2", "P3"]].isna().all(axis=None)
    assert abs(result.params.loc["P3"] - [0.0, 0.0, 1.0, -1.0]).max() < 1e-12
    assert [(note.rule[:23], note.count, note.first) for note in result.notes] == [
        ("assets that the factors", 2, "P2"),
        ("assets with no more obs", 1, "P4"),
    ]
    assert "nan" not in result.summary()
    others = ["P1", "P5"]
    alone = time_series(returns[others], factors, lags=6)
    pd.testing.assert_frame_equal(result.std_errors.loc[others], alone.std_errors)
