"""The performance stage: what each factor earned, and how it got there."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata.core import FactorReturns
from alphastrata.inference.hac import LagRule, mean_covariance
from alphastrata.portfolio import performance as measure
from alphastrata.report.records import Format
from alphastrata.study.artefacts import Artefacts

MONTHS = 12

FORMATS: dict[str, Format] = {
    "mean": "percent",
    "volatility": "percent",
    "drawdown": "percent",
    "worst month": "percent",
    "turnover": "percent",
    "months": "integer",
}


def performance(spreads: FactorReturns, *, lags: int | LagRule) -> Artefacts:
    """Return growth, drawdowns, summary and correlations of monthly long-short returns.

    Parameters
    ----------
    spreads
        Monthly zero-cost returns; a factor that has not begun is missing.
    lags
        Newey-West lags of the mean's t-statistic, or a rule.
    """
    frame = spreads.frame
    growth, falls, rows, spells = {}, {}, {}, []
    for name in spreads.factors:
        returns = frame[name].dropna()
        path = measure.wealth(returns.to_numpy())
        start = returns.index[0] - pd.offsets.MonthEnd(1)
        dates = pd.DatetimeIndex([start, *returns.index])
        growth[name] = pd.Series(path, index=dates)
        falls[name] = growth[name] / growth[name].cummax() - 1.0
        rows[name] = _summary(returns, spreads.turnover, name, lags)
        deepest = measure.max_drawdown(returns.to_numpy())
        spells.append(
            {
                "factor": name,
                "peak": dates[deepest.peak],
                "trough": dates[deepest.trough],
                "recovery": dates[deepest.recovery] if deepest.recovery >= 0 else pd.NaT,
                "depth": deepest.depth,
            }
        )
    return {
        "growth": pd.DataFrame(growth).sort_index(),
        "drawdowns": pd.DataFrame(falls).sort_index(),
        "drawdown_dates": pd.DataFrame(spells),
        "summary": pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor"),
        "correlations": frame.corr(),
    }


def _summary(
    returns: pd.Series, turnover: pd.DataFrame | None, name: str, lags: int | LagRule
) -> dict[str, float]:
    values = returns.to_numpy()
    variance, _ = mean_covariance(values[:, None], lags)
    row = {
        "mean": float(MONTHS * values.mean()),
        "t": float(values.mean() / np.sqrt(variance[0, 0])),
        "volatility": measure.volatility(values, MONTHS),
        "Sharpe": measure.sharpe(values, MONTHS),
        "skewness": measure.skewness(values),
        "kurtosis": measure.excess_kurtosis(values),
        "worst month": float(values.min()),
        "drawdown": measure.max_drawdown(values).depth,
        "months": len(values),
    }
    if turnover is not None and name in turnover:
        row["turnover"] = float(MONTHS * turnover[name].mean())
    return row
