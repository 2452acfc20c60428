"""Pooled regressions: every standard error that Petersen prints."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from alphastrata.core import Panel
from alphastrata.errors import ConfigError
from alphastrata.inference.pooled import panel_regression


@pytest.fixture
def petersen(published: Path) -> Panel:
    data = pd.read_csv(published / "petersen.csv")
    dates = pd.to_datetime((data["year"] + 2000).astype(str) + "-12-31")
    return Panel(data.assign(date=dates, asset=data["firm"]).drop(columns=["firm", "year"]))


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("cluster", "printed"),
    [("none", 0.0286), ("white", 0.0284), ("asset", 0.0506), ("date", 0.0334), ("both", 0.0536)],
)
def test_petersen(petersen: Panel, cluster: str, printed: float) -> None:
    result = panel_regression(petersen, "y", ["x"], cluster=cluster, lag=0)
    assert round(result.params["x"], 4) == 1.0348
    assert round(result.std_errors["x"], 4) == printed
    assert result.nobs == 5000


def test_effects_are_dummies(ragged: Panel) -> None:
    result = panel_regression(ragged, "ret", ["value"], effects="date", cluster="none", lag=0)
    frame = ragged.frame[["ret", "value"]].dropna().reset_index()
    frame["date"] = frame["date"].astype(str)
    expected = smf.ols("ret ~ value + C(date)", frame).fit()
    assert result.params["value"] == pytest.approx(expected.params["value"], rel=1e-8)
    assert result.std_errors["value"] == pytest.approx(expected.bse["value"], rel=1e-6)


def test_lag_weights_and_refusals(ragged: Panel) -> None:
    lagged = ragged.lag(["value", "weight"]).assign({"ret": ragged.values("ret")})
    ours = panel_regression(ragged, "ret", ["value"], weights="weight")
    by_hand = panel_regression(lagged, "ret", ["value"], weights="weight", lag=0)
    np.testing.assert_allclose(ours.params, by_hand.params, rtol=1e-12)
    assert "clustered by both" in ours.summary()
    with pytest.raises(ConfigError, match="cluster"):
        panel_regression(ragged, "ret", ["value"], cluster="firm")


def test_a_negative_variance_is_said() -> None:
    dates = pd.date_range("2000-01-31", periods=30, freq="ME")
    index = pd.MultiIndex.from_product([dates, range(3)], names=["date", "asset"])
    for seed in range(40):
        rng = np.random.default_rng(seed)
        data = pd.DataFrame(rng.normal(size=(90, 3)), index, ["ret", "a", "b"])
        result = panel_regression(data, "ret", ["a", "b"], cluster="both", lag=0)
        if result.std_errors.isna().any():
            break
    lost = result.std_errors.index[result.std_errors.isna()]
    assert len(lost)
    assert f"No error of {', '.join(lost)}" in result.conventions()[2]
