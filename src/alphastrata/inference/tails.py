"""Tail probabilities, without the weight of importing scipy.stats."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtrc, fdtrc, ndtr, stdtr

Array = NDArray[np.float64]


def two_sided(tstats: Any, df: Any = None) -> Array:
    """Return two-sided p-values: Student t with `df` degrees of freedom, normal when None.

    Examples
    --------
    >>> round(float(two_sided(1.96)), 4)
    0.05
    """
    size = -np.abs(np.asarray(tstats, dtype=np.float64))
    return np.asarray(2.0 * (ndtr(size) if df is None else stdtr(df, size)))


def f_upper(value: float, df1: float, df2: float) -> float:
    """Return P(F(df1, df2) > value)."""
    return float(fdtrc(df1, df2, value))


def chi2_upper(value: float, df: float) -> float:
    """Return P(chi2(df) > value)."""
    return float(chdtrc(df, value))
