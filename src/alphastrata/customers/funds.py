"""Simulated returns of types of funds, for trying portfolios out offline."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

__all__ = ["FUND_TYPES", "simulate_fund_returns"]

FUND_TYPES: Mapping[str, tuple[float, float]] = {
    "money market": (0.035, 0.004),
    "fixed income": (0.055, 0.045),
    "mixed": (0.075, 0.10),
    "stock": (0.095, 0.17),
}
"""Type of fund -> mean and volatility per year of the simulated returns."""


def simulate_fund_returns(periods: int = 180, *, seed: int = 0) -> pd.DataFrame:
    """Return simulated monthly returns of four types of funds, for trying things out offline.

    Parameters
    ----------
    periods : int
        Months, ending in December 2024.
    seed : int

    Examples
    --------
    >>> simulate_fund_returns(3).columns.tolist()
    ['money market', 'fixed income', 'mixed', 'stock']
    """
    rng = np.random.default_rng(seed)
    names = list(FUND_TYPES)
    mean = np.array([FUND_TYPES[n][0] for n in names]) / 12
    spread = np.array([FUND_TYPES[n][1] for n in names]) / np.sqrt(12)
    correlation = np.array(
        [[1, 0.1, 0.05, 0.0], [0.1, 1, 0.35, 0.1], [0.05, 0.35, 1, 0.85], [0.0, 0.1, 0.85, 1]]
    )
    shocks = rng.standard_t(6, size=(periods, 4)) / np.sqrt(1.5)
    draws = mean + shocks @ np.linalg.cholesky(correlation).T * spread
    dates = pd.date_range(end="2024-12-31", periods=periods, freq="ME", name="date")
    return pd.DataFrame(draws, index=dates, columns=names)
