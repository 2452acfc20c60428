"""Symmetric systems of a few equations, millions at a time."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def solve_scaled(products: Array, target: Array, factor: Array, solution: Array) -> float:
    """Solve products @ solution = target by Cholesky of the correlations; return the least pivot.

    A pivot is the share of a variable's variance that those before it leave unexplained.

    Parameters
    ----------
    products : ndarray, shape (k, k)
        Symmetric; only the lower triangle is read.
    target : ndarray, shape (k,)
        Right-hand side.
    factor : ndarray, shape (k, k)
        Room to work in.
    solution : ndarray, shape (k,)
        Filled in; meaningless where the least pivot is not above 1e-16.
    """
    k = target.size
    smallest = 1.0
    for i in range(k):
        if not products[i, i] > 0.0:
            return 0.0
    for i in range(k):
        for j in range(i):
            s = products[i, j] / np.sqrt(products[i, i] * products[j, j])
            for m in range(j):
                s -= factor[i, m] * factor[j, m]
            factor[i, j] = s / factor[j, j]
        s = 1.0
        for m in range(i):
            s -= factor[i, m] * factor[i, m]
        smallest = min(smallest, s)
        factor[i, i] = np.sqrt(s) if s > 1e-16 else 1e-8
    for i in range(k):
        s = target[i] / np.sqrt(products[i, i])
        for m in range(i):
            s -= factor[i, m] * solution[m]
        solution[i] = s / factor[i, i]
    for i in range(k - 1, -1, -1):
        s = solution[i]
        for m in range(i + 1, k):
            s -= factor[m, i] * solution[m]
        solution[i] = s / factor[i, i]
    for i in range(k):
        solution[i] /= np.sqrt(products[i, i])
    return max(smallest, 0.0)
