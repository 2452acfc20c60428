"""The information stage: how well characteristics foretell returns, and for how long."""

from __future__ import annotations

from math import erfc, sqrt

import numpy as np
import pandas as pd

from alphastrata import portfolio
from alphastrata.core import Panel
from alphastrata.inference.hac import mean_covariance
from alphastrata.portfolio.information import How
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import InformationConfig

CORRELATIONS: dict[How, str] = {"spearman": "rank", "pearson": "linear"}
# Months over which the coefficients by date are averaged for the figure.
SMOOTH = 12


def information(names: list[str], config: InformationConfig, panel: Panel) -> Artefacts:
    """Return correlations of characteristics with later returns, and returns of their quantiles.

    Parameters
    ----------
    names
        Characteristics.
    config
        Horizons in months, and how many quantiles.
    panel
        Monthly market with the characteristics.

    Returns
    -------
    Artefacts
        table (by characteristic, coefficient and horizon), means and smooth (rank correlations, for
        figures), by_date, quantiles (mean return per month, by horizon) and stickiness (rank
        autocorrelation, by lag).
    """
    horizons = tuple(dict.fromkeys(config.horizons))
    tables, means, smooth, dated, quantiles, sticky = [], {}, {}, [], [], {}
    for name in names:
        for how, word in CORRELATIONS.items():
            found = portfolio.information_coefficients(panel, name, horizons=horizons, how=how)
            table = _robust(found).rename_axis("horizon").reset_index()
            table.insert(0, "characteristic", name)
            table.insert(1, "correlation", word)
            tables.append(table)
            dated.append(_dated(found.series, name, word))
            if how == "spearman":
                means[name] = found.params
                first = found.series[horizons[0]]
                smooth[name] = first.rolling(SMOOTH, min_periods=SMOOTH).mean()
        quantiles.append(_quantiles(name, horizons, config.quantiles, panel))
        sticky[name] = {
            lag: float(portfolio.rank_autocorrelation(panel, name, lag=lag).mean())
            for lag in horizons
        }
    return {
        "table": pd.concat(tables, ignore_index=True),
        "means": pd.DataFrame(means).rename_axis("horizon"),
        "smooth": pd.DataFrame(smooth).rename_axis("date"),
        "by_date": pd.concat(dated, ignore_index=True),
        "quantiles": pd.concat(quantiles, ignore_index=True),
        "stickiness": pd.DataFrame(sticky).rename_axis("lag"),
    }


def _robust(found: portfolio.InformationCoefficients) -> pd.DataFrame:
    """Return the table with t and p that cover the overlap of a horizon: Newey-West, h lags."""
    table = found.table()
    for horizon in table.index:
        series = found.series[horizon].dropna().to_numpy()
        variance, _ = mean_covariance(series[:, None], int(horizon))
        t = float(series.mean() / np.sqrt(variance[0, 0])) if variance[0, 0] > 0.0 else np.nan
        table.loc[horizon, "t"] = t
        table.loc[horizon, "p"] = erfc(abs(t) / sqrt(2.0))
    return table


def _dated(series: pd.DataFrame, name: str, word: str) -> pd.DataFrame:
    """Return coefficients as rows: date, characteristic, correlation, one column per horizon."""
    table = series.copy()
    table.columns = pd.Index([f"{horizon} months" for horizon in series.columns])
    table = table.reset_index()
    table.insert(1, "characteristic", name)
    table.insert(2, "correlation", word)
    return table


def _quantiles(name: str, horizons: tuple[int, ...], n: int, panel: Panel) -> pd.DataFrame:
    """Return the mean return per month of each quantile, equally weighted, over each horizon."""
    strata = portfolio.quantile_sort(panel, name, n=n)
    found = portfolio.horizon_returns(strata, panel, horizons=horizons)
    rows = []
    for horizon in horizons:
        mean = pd.DataFrame(found[horizon]).mean().to_numpy(dtype=np.float64)
        # Compounded over the horizon, and back to one month.
        monthly = np.sign(1.0 + mean) * np.abs(1.0 + mean) ** (1.0 / horizon) - 1.0
        row = {"characteristic": name, "horizon": horizon}
        row |= {f"{k}": float(value) for k, value in enumerate(monthly, 1)}
        rows.append(row | {"highest - lowest": float(monthly[-1] - monthly[0])})
    return pd.DataFrame(rows)
