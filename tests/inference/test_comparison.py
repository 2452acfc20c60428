"""Models side by side, as numbers, text, LaTeX and HTML."""

from __future__ import annotations

import pandas as pd
import pytest

from alphastrata.core import Panel
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference import (
    fama_macbeth,
    grs,
    models_side_by_side,
    panel_regression,
    pricing_table,
    rolling_betas,
    side_by_side,
    time_series,
    two_pass,
)


def test_time_series_models(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    models = {
        "CAPM": time_series(returns, factors[["Mkt-RF"]]),
        "FF3": time_series(returns, factors),
    }
    result = side_by_side(models, "P2")
    assert result.params.loc["alpha", "FF3"] == models["FF3"].params.loc["P2", "alpha"]
    assert pd.isna(result.params.loc["SMB", "CAPM"])
    assert result.text.loc["SMB", "CAPM"] == ""
    assert result.text.loc["T", "FF3"] == "180"
    text = str(result.summary())
    assert "P2 on factors: 2 models" in text
    assert f"({models['FF3'].tstats.loc['P2', 'SMB']:.2f})" in text
    assert r"alpha \%" in result.to_latex()
    assert "<table" in result._repr_html_()


def test_models_of_one_factor(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    models = {"CAPM": factors[["Mkt-RF"]], "FF3": factors}
    result = models_side_by_side(returns, models, asset="P2", lags=3)
    alone = time_series(returns, factors, lags=3)
    table = result.table()
    assert table.loc["alpha", ("FF3", "t")] == alone.tstats.loc["P2", "alpha"]
    assert table["CAPM"].loc["SMB"].isna().all()


def test_cross_sections(ragged: Panel) -> None:
    models = {
        "size": fama_macbeth(ragged, "ret", ["size"]),
        "both": fama_macbeth(ragged, "ret", ["size", "value"]),
    }
    result = side_by_side(models)
    assert list(result.table().index) == ["const", "size", "value"]
    assert result.text.loc["dates"].tolist() == [str(len(m.coefficients)) for m in models.values()]


def test_regressions_across_assets_of_any_kind(
    ragged: Panel, returns: pd.DataFrame, factors: pd.DataFrame
) -> None:
    pooled = panel_regression(ragged, "ret", ["size"], cluster="date")
    models = {"by date": fama_macbeth(ragged, "ret", ["size"]), "pooled": pooled}
    result = side_by_side(models)
    assert result.text.loc["rows", "pooled"] == str(pooled.nobs)
    assert result.params.loc["size", "pooled"] == pooled.params["size"]
    assert "Errors: clustered by date" in result.summary()
    premia = side_by_side(
        {kind: two_pass(returns, factors, errors=kind) for kind in ("shanken", "gmm")}
    )
    assert premia.params["gmm"].equals(premia.params["shanken"])
    assert not premia.tstats["gmm"].equals(premia.tstats["shanken"])
    for kind in ("shanken", "gmm"):
        assert f"{kind}: OLS second pass" in premia.summary()
    assert premia.summary().count("All errors but Shanken's") == 1
    assert r"\toprule" in premia.to_latex()


def test_pricing_table(returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    table = pricing_table(returns, {"CAPM": factors[["Mkt-RF"]], "FF3": factors})
    assert table.loc["FF3", "F"] == grs(returns, factors).statistic
    assert table["N"].tolist() == [8, 8]
    assert table["T"].tolist() == [180, 180]


def test_refusals(ragged: Panel, returns: pd.DataFrame, factors: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="one kind"):
        side_by_side({})
    mixed = {"a": time_series(returns, factors), "b": fama_macbeth(ragged, "ret", ["size"])}
    with pytest.raises(ConfigError, match="one kind"):
        side_by_side(mixed)
    with pytest.raises(ConfigError, match="'a' is a RollingBetas"):
        side_by_side({"a": rolling_betas(returns, factors)})
    with pytest.raises(InputDataError, match="row of every"):
        side_by_side({"a": time_series(returns, factors)}, "P99")
    with pytest.raises(InputDataError, match="at least one"):
        pricing_table(returns, {})
