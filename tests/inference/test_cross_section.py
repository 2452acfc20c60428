"""Regressions by date: pairing rows with a lag, skipping and refining dates."""

from __future__ import annotations

import numpy as np
import pytest

from alphastrata.core import Panel
from alphastrata.inference.cross_section import lagged_positions, regress_by_date


@pytest.mark.parametrize("lag", [0, 1, 2, 12, 39, 60])
def test_lagged_positions_are_panel_lag(ragged: Panel, lag: int) -> None:
    rows = lagged_positions(ragged.asset_codes, ragged.offsets, lag)
    values = ragged.values("size")
    ours = np.where(rows >= 0, values[rows], np.nan)
    np.testing.assert_array_equal(ours, ragged.lag(["size"], lag).values("size"))


def test_pivot_decides_who_goes_through_qr() -> None:
    rng = np.random.default_rng(0)
    a, e, y = rng.normal(size=(3, 300))
    offsets = np.array([0, 100, 200, 300])
    near = np.concatenate([a[:100] + e[:100], a[100:200] + 1e-3 * e[100:200], a[200:]])
    fits = regress_by_date(y, [a, near], offsets)
    assert fits.refined.tolist() == [1]
    assert fits.reasons == {2: "collinear regressors"}
    x = np.column_stack([np.ones(100), a[100:200], near[100:200]])
    expected = np.linalg.lstsq(x, y[100:200], rcond=None)[0]
    np.testing.assert_allclose(fits.params[1], expected, rtol=1e-8)


def test_weighted_qr_agrees_with_weighted_rows() -> None:
    rng = np.random.default_rng(1)
    a, e, y = rng.normal(size=(3, 80))
    w = rng.uniform(0.2, 3, 80)
    near = a + 1e-4 * e
    fits = regress_by_date(y, [a, near], np.array([0, 80]), weights=w)
    root = np.sqrt(w)[:, None]
    x = np.column_stack([np.ones(80), a, near])
    expected = np.linalg.lstsq(x * root, y * root[:, 0], rcond=None)[0]
    assert fits.refined.tolist() == [0]
    np.testing.assert_allclose(fits.params[0], expected, rtol=1e-7)


def test_reasons() -> None:
    x = np.array([1.0, 2.0, np.nan, np.nan, 1.0, 2.0, 3.0, 4.0])
    y = np.arange(8.0) ** 2
    fits = regress_by_date(y, [x], np.array([0, 2, 4, 4, 8]), min_rows=5)
    assert fits.reasons == {
        0: "2 complete rows for 2 coefficients",
        1: "no complete rows",
        2: "no complete rows",
        3: "4 complete rows, fewer than 5",
    }
    assert np.isnan(fits.params).all()
