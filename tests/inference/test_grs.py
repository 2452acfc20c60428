"""GRS against CRAN's GRS.test and against its definition."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference import grs, joint_alphas


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("rows", "factors", "f", "p"),
    [(342, 3, 1.6046514, 0.0358970), (606, 5, 2.7395874, 1.48983e-5)],
)
def test_cran(published: Path, rows: int, factors: int, f: float, p: float) -> None:
    data = pd.read_csv(published / "grs_ff25_1963_2015.csv")
    data.index = pd.to_datetime(data.pop("date").astype(str), format="%Y%m")
    result = grs(data.iloc[:rows, 6:], data.iloc[:rows, :factors])
    assert result.statistic == pytest.approx(f, abs=5e-8)
    assert result.pvalue == pytest.approx(p, rel=5e-6)
    assert result.df1 == 25
    assert result.df2 == rows - 25 - factors


def brute_force(y: np.ndarray, f: np.ndarray, divisor: int) -> float:
    t, n = y.shape
    x = np.column_stack([np.ones(t), f])
    b = np.linalg.lstsq(x, y, rcond=None)[0]
    e = y - x @ b
    mean, centred = f.mean(axis=0), f - f.mean(axis=0)
    quadratic = b[0] @ np.linalg.inv(e.T @ e / t) @ b[0]
    sharpe = mean @ np.linalg.inv(centred.T @ centred / divisor) @ mean
    return (t - n - f.shape[1]) / n * quadratic / (1 + sharpe)


def test_definition_and_both_divisors(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    y, f = returns.to_numpy(), factors.to_numpy()
    exact = grs(returns, factors)
    assert exact.statistic == pytest.approx(brute_force(y, f, 180), rel=1e-10)
    assert exact.pvalue == pytest.approx(stats.f.sf(exact.statistic, 8, 169), rel=1e-10)
    other = grs(returns, factors, factor_divisor="T-1")
    assert other.statistic == pytest.approx(brute_force(y, f, 179), rel=1e-10)
    assert "Not the exact F" in other.summary()
    assert "Exact under" not in other.summary()


def test_an_asset_that_others_make_up_is_named(
    returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    twice = returns.assign(P5=returns["P1"] - returns["P2"])
    for test in (grs, joint_alphas):
        with pytest.raises(EstimationError, match="'P5' is a linear combination"):
            test(twice, factors)


def test_scale_of_assets_does_not_matter(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    scaled = returns * np.logspace(-6, 6, 8)
    assert grs(scaled, factors).statistic == pytest.approx(
        grs(returns, factors).statistic, rel=1e-9
    )


def test_measures(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = grs(returns, factors)
    a, r = result.alphas.to_numpy(), returns.mean() - returns.mean().mean()
    assert result.measures["A|a|"] == pytest.approx(np.abs(a).mean())
    assert result.measures["A|a|/A|r|"] == pytest.approx(np.abs(a).mean() / r.abs().mean())
    assert result.measures["A(a2)/A(r2)"] == pytest.approx((a**2).mean() / (r**2).mean())


def test_one_asset_is_the_squared_t(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    result = grs(returns["P1"], factors)
    assert result.statistic == pytest.approx(result.tstats.iloc[0] ** 2, rel=1e-10)
    assert result.pvalue == pytest.approx(result.pvalues.iloc[0], rel=1e-9)


def test_missing_dates_are_dropped_and_said(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    holes = returns.copy()
    holes.iloc[:9, 0] = np.nan
    result = grs(holes, factors)
    assert result.df2 == 171 - 8 - 3
    assert result.notes[-1].count == 9


def test_refusals(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    with pytest.raises(EstimationError, match="below T - K"):
        grs(returns.iloc[:11], factors.iloc[:11])
    with pytest.raises(EstimationError, match="singular"):
        grs(returns.assign(P9=returns["P1"] + returns["P2"]), factors)
    with pytest.raises(ConfigError, match="factor_divisor"):
        grs(returns, factors, factor_divisor="N")
