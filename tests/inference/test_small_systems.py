"""Small symmetric systems against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from alphastrata.inference.small_systems import solve_scaled


@pytest.mark.parametrize("k", [1, 2, 5, 9])
def test_numpy_and_the_least_pivot(k: int) -> None:
    rng = np.random.default_rng(k)
    x = rng.normal(size=(50, k)) * np.logspace(-6, 6, k)
    products, target = x.T @ x, rng.normal(size=k)
    solution = np.empty(k)
    pivot = solve_scaled(products, target, np.empty((k, k)), solution)
    scale = np.sqrt(np.diag(products))
    correlation = products / np.outer(scale, scale)
    expected = np.linalg.solve(correlation, target / scale) / scale
    np.testing.assert_allclose(solution, expected, rtol=1e-10)
    assert pivot == pytest.approx((np.diag(np.linalg.cholesky(correlation)) ** 2).min())


def test_singular_systems_have_no_pivot() -> None:
    room, solution = np.empty((2, 2)), np.empty(2)
    assert solve_scaled(np.zeros((2, 2)), np.ones(2), room, solution) == 0.0
    assert solve_scaled(np.ones((2, 2)), np.ones(2), room, solution) < 1e-15
