"""Truth beside estimate: what a simulated market planted in each factor and each slope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from alphastrata.core import FactorReturns, Panel

Maker = Callable[[Panel], FactorReturns]


def planted_returns(panel: Panel, values: pd.Series, *, lag: int) -> Panel:
    """Return the market with returns replaced by a planted part of them.

    Parameters
    ----------
    panel
        The simulated market.
    values
        The planted part by (date, asset), known ``lag`` dates before the return it belongs to.
    lag
        1 for an expected alpha at the formation date, 0 for a beta.

    Notes
    -----
    Missing where the return itself is missing, so that the same assets enter.
    """
    part = Panel(values.rename("value").to_frame(), freq=panel.freq)
    known = panel.join(part).lag(["value"], lag).values("value")
    return panel.assign({"ret": np.where(np.isnan(panel.values("ret")), np.nan, known)})


def planted_in_factors(
    panel: Panel, expected: pd.Series, betas: pd.DataFrame, make: Maker
) -> pd.DataFrame:
    """Return the planted alpha and betas of each factor, averaged over its dates.

    Parameters
    ----------
    panel
        The simulated market.
    expected
        Expected alpha of the next month by (formation date, asset).
    betas
        Asset x pricing factor.
    make
        Builds the long-short factors from a market panel.

    Returns
    -------
    DataFrame
        Index: factor; columns: "alpha" and the pricing factors.
    """
    columns = {"alpha": make(planted_returns(panel, expected, lag=1)).frame.mean()}
    for name in betas:
        value = betas[name].reindex(panel.assets).to_numpy()[panel.asset_codes]
        series = pd.Series(value, index=panel.index)
        columns[str(name)] = make(planted_returns(panel, series, lag=0)).frame.mean()
    return pd.DataFrame(columns)


def beside(
    truth: Mapping[Any, float],
    estimate: pd.Series,
    std_error: pd.Series,
    *,
    freedom: int,
    group: str,
) -> pd.DataFrame:
    """Return truth, estimate, its 95% interval by Student's t, and whether it covers the truth."""
    names = [name for name in estimate.index if name in truth]
    point, error = estimate[names].to_numpy(), std_error[names].to_numpy()
    reach = float(student.ppf(0.975, freedom))
    planted = np.array([truth[name] for name in names])
    low, high = point - reach * error, point + reach * error
    return pd.DataFrame(
        {
            "group": group,
            "parameter": names,
            "truth": planted,
            "estimate": point,
            "low": low,
            "high": high,
            "covered": (low <= planted) & (planted <= high),
        }
    )
