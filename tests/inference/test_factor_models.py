"""Model comparison: brute force, nesting, and its size in simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference import grs
from alphastrata.inference.factor_models import compare_models, select_factors


def test_nested_models_are_compared_by_grs(factors: pd.DataFrame) -> None:
    result = compare_models({"CAPM": factors[["Mkt-RF"]], "FF3": factors})
    f = grs(factors[["SMB", "HML"]], factors[["Mkt-RF"]])
    assert result.pvalues.loc["CAPM", "FF3"] == pytest.approx(f.pvalue, rel=1e-9)
    assert result.params.loc["FF3", "CAPM"] == -result.params.loc["CAPM", "FF3"]
    assert np.isnan(result.tstats.loc["CAPM", "FF3"])


def test_standard_error_is_that_of_the_delta_method(factors: pd.DataFrame) -> None:
    a, b = factors[["Mkt-RF", "SMB"]], factors[["Mkt-RF", "HML"]]
    result = compare_models({"A": a, "B": b})

    def gap(weights: np.ndarray) -> float:
        out = []
        for f in (a.to_numpy(), b.to_numpy()):
            mean = weights @ f
            omega = (f - mean).T @ ((f - mean) * weights[:, None])
            out.append(mean @ np.linalg.solve(omega, mean))
        return out[0] - out[1]

    # The infinitesimal jackknife: derivatives with respect to the weight of each date.
    base = np.full(180, 1 / 180)
    influence = np.empty(180)
    for t in range(180):
        h = 1e-5
        unit = np.zeros(180)
        unit[t] = 1.0
        influence[t] = (gap((1 - h) * base + h * unit) - gap((1 + h) * base - h * unit)) / (2 * h)
    expected = np.sqrt((influence**2).mean() / 180)
    assert result.std_errors.loc["A", "B"] == pytest.approx(expected, rel=1e-5)


def test_selection_ranks_by_adjusted_ratio(factors: pd.DataFrame) -> None:
    table = select_factors(factors, always=["Mkt-RF"])
    assert len(table) == 4
    assert table["Sh2 adjusted"].is_monotonic_decreasing
    whole = table[table["n"] == 3].iloc[0]
    assert whole["Sh2"] == table["Sh2"].max()
    assert np.isnan(whole["p left out"])
    holes = factors.copy()
    holes.iloc[3, 1] = np.nan
    assert "1 of 180 dropped" in select_factors(holes).attrs["notes"][0]


def test_refusals(factors: pd.DataFrame) -> None:
    with pytest.raises(ConfigError, match="two models"):
        compare_models({"A": factors})
    with pytest.raises(InputDataError, match="always"):
        select_factors(factors, always=["XYZ"])
    many = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 20)), index=factors.index[:50])
    with pytest.raises(ConfigError, match="too many"):
        select_factors(many)
