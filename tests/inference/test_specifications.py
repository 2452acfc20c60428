"""Many specifications at once against one Fama-MacBeth regression each."""

from __future__ import annotations

import numpy as np
import pytest

from alphastrata.core import Panel
from alphastrata.errors import ConfigError
from alphastrata.inference import HAC, fama_macbeth
from alphastrata.inference.specifications import specifications

X = ["size", "value", "momentum"]


def complete(panel: Panel, lag: int) -> Panel:
    """The panel with candidates missing wherever any of them is."""
    frame = panel.frame[X]
    gone = frame.isna().any(axis=1).to_numpy()
    return panel.assign({n: np.where(gone, np.nan, panel.values(n)) for n in X})


@pytest.mark.parametrize("lag", [0, 1])
@pytest.mark.parametrize("weights", [None, "weight"])
def test_each_is_a_fama_macbeth(ragged: Panel, lag: int, weights: str | None) -> None:
    whole = complete(ragged, lag)
    result = specifications(whole, "ret", X, 2, lag=lag, weights=weights, lags=3)
    assert len(result.specifications) == 3
    for i, x in enumerate(result.specifications):
        alone = fama_macbeth(whole, "ret", list(x), lag=lag, weights=weights, lags=3)
        names = ["const", *x]
        got = result.params.loc[i, names]
        if result.periods[i] == len(alone.coefficients):
            np.testing.assert_allclose(got, alone.params, rtol=1e-10)
            np.testing.assert_allclose(result.std_errors.loc[i, names], alone.std_errors, rtol=1e-9)
            np.testing.assert_allclose(result.pvalues.loc[i, names], alone.pvalues, rtol=1e-8)
            assert result.r2[i] == pytest.approx(alone.r2.mean(), rel=1e-10)
    assert result.periods.min() == len(alone.coefficients)


def test_other_kernels_and_rules(ragged: Panel) -> None:
    hac = HAC("newey-west", "parzen")
    whole = complete(ragged, 0)
    result = specifications(whole, "ret", X, [["size"], X], lag=0, lags=hac)
    alone = fama_macbeth(whole, "ret", X, lag=0, lags=hac)
    np.testing.assert_allclose(result.std_errors.loc[1], alone.std_errors, rtol=1e-9)
    assert np.isnan(result.params.loc[0, "value"])


def test_collinear_candidates_go_through_qr_or_are_skipped(ragged: Panel) -> None:
    near = ragged.values("value") * (1 + 1e-5 * ragged.values("momentum"))
    panel = ragged.assign({"near": near, "same": 2 * ragged.values("value")})
    result = specifications(panel, "ret", ["value", "near", "same"], 2, lag=0)
    pairs = dict(zip(result.specifications, result.periods, strict=True))
    assert pairs[("value", "near")] > 30
    assert pairs[("value", "same")] == 0
    alone = fama_macbeth(panel, "ret", ["value", "near"], lag=0)
    np.testing.assert_allclose(
        result.params.loc[0, ["const", "value", "near"]], alone.params, rtol=1e-7
    )


def test_table_and_refusals(ragged: Panel) -> None:
    result = specifications(ragged, "ret", X, 2)
    assert result.table().loc["size", "specifications"] == 2
    assert "3 specifications" in result.summary()
    assert "T/(T - 1), Student's t" in result.summary()  # of averages, as in `fama_macbeth`
    with pytest.raises(ConfigError, match="size must be"):
        specifications(ragged, "ret", X, 4)
    with pytest.raises(ConfigError, match="distinct"):
        specifications(ragged, "ret", X, [["size", "size"]])
    with pytest.raises(ConfigError, match="at least one"):
        specifications(ragged, "ret", X, [])
