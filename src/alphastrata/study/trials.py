"""The test stage: alphas, joint tests and cross-sections, as frames and plain values."""

from __future__ import annotations

import pandas as pd

from alphastrata import inference
from alphastrata.core import FactorReturns, Panel
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.ranks import unit_ranks


def alphas(returns: FactorReturns, factors: FactorReturns, *, lags: int) -> Artefacts:
    """Return alphas and betas of every factor on one benchmark."""
    result = inference.time_series(returns, factors, lags=lags)
    return {
        "params": result.params,
        "std_errors": result.std_errors,
        "tstats": result.tstats,
        "pvalues": result.pvalues,
        "fit": pd.DataFrame(
            {"R2": result.r2, "adj. R2": result.r2_adjusted, "observations": result.nobs}
        ),
        "text": {
            "conventions": result.conventions(),
            "notes": [str(note) for note in result.notes],
        },
    }


def joint_test(portfolios: FactorReturns, factors: FactorReturns) -> dict[str, object]:
    """Return the GRS test that the alphas of all strata are zero, as plain values.

    The exact test needs every portfolio on every date, so strata that were born late or died
    early stay out; which ones is said.
    """
    frame = portfolios.frame
    whole = [name for name in portfolios.factors if frame[name].notna().all()]
    part = [name for name in portfolios.factors if name not in whole]
    if not whole:
        return {
            "skipped": f"none of {frame.shape[1]} strata has a return on all {len(frame)} dates"
        }
    result = inference.grs(portfolios.select(whole), factors)
    statistic = result.statistics()[0]
    return {
        "tested": whole,
        "left_out": part,
        "name": statistic.name,
        "value": float(statistic.value),
        "pvalue": float(statistic.pvalue),
        "null": statistic.null,
        "distribution": statistic.distribution,
        "conventions": result.conventions(),
    }


def cross_section(panel: Panel, x: tuple[str, ...], *, lags: int) -> Artefacts:
    """Return Fama-MacBeth of next month's returns on unit ranks of characteristics."""
    ranked = unit_ranks(panel, x)
    result = inference.fama_macbeth(ranked, y="ret", x=list(x), lags=lags, lag=1)
    table = pd.DataFrame(
        {
            "params": result.params,
            "std_errors": result.std_errors,
            "tstats": result.tstats,
            "pvalues": result.pvalues,
        }
    )
    return {
        "table": table,
        "coefficients": result.coefficients,
        "text": {
            "conventions": [
                "Regressors: rank by date, at mean 0 and standard deviation 1, a month before.",
                *result.conventions(),
            ],
            "notes": [str(note) for note in result.notes],
        },
    }
