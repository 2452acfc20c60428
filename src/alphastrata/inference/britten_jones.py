"""Tangency portfolios by regression: Britten-Jones (1999)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result
from alphastrata.inference.grs import max_squared_sharpe
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.least_squares import fit_complete, orthonormal
from alphastrata.inference.samples import Returns, align, describe_dates, require_varying
from alphastrata.inference.tails import two_sided

__all__ = ["TangencyResult", "britten_jones_f", "tangency"]

Array = NDArray[np.float64]


def britten_jones_f(factors: Array, new: Array) -> float:
    """Return the F statistic that the tangency portfolio of all returns omits the new ones.

    Notes
    -----
    One is regressed on the returns without an intercept; the coefficients are proportional to
    tangency weights (Britten-Jones 1999). The statistic equals GRS.
    """
    both = np.column_stack([factors, new])
    one = np.ones((len(both), 1))
    (n, m), n_new = both.shape, new.shape[1]
    free = fit_complete(both, one, covariance="nonrobust", constant=None).ssr[0]
    if factors.shape[1]:
        bound = fit_complete(factors, one, covariance="nonrobust", constant=None).ssr[0]
    else:
        bound = float(n)
    return float((bound - free) / n_new / (free / (n - m)))


@dataclass(frozen=True, repr=False)
class TangencyResult(Result):
    """Weights of the tangency portfolio with their inference.

    Attributes
    ----------
    params : Series
        Weights, summing to one.
    std_errors, tstats, pvalues : Series
        t-statistics test that the unscaled weight is zero; standard errors are weight over t.
    squared_sharpe : float
        Maximal squared Sharpe ratio per period, covariance by T.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    squared_sharpe: float
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per asset: weight, standard error, t and p."""
        return parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [
            f"Maximal squared Sharpe ratio {self.squared_sharpe:.4f} per period.",
            "Britten-Jones (1999): exact t under normal returns.",
        ]


def tangency(factors: Returns) -> TangencyResult:
    """Return tangency weights of excess returns and t-tests that each is zero.

    Parameters
    ----------
    factors : FactorReturns, DataFrame or Series
        Excess or zero-cost returns; dates with a missing one are left out.
    """
    sample = align(factors, factors)
    require_varying(sample.factors, "factor")
    f = sample.f
    n, k = f.shape
    if n > k:
        orthonormal(f, [repr(name) for name in sample.factors.columns])
    fit = fit_complete(f, np.ones((n, 1)), covariance="nonrobust", constant=None)
    raw = fit.params[:, 0]
    tstats = raw / fit.std_errors[:, 0]
    names = pd.Index(sample.factors.columns, name="factor")
    weights = raw / raw.sum()
    return TangencyResult(
        params=pd.Series(weights, names, name="weight"),
        std_errors=pd.Series(np.abs(weights / tstats), names, name="std_error"),
        tstats=pd.Series(tstats, names, name="t"),
        pvalues=pd.Series(two_sided(tstats, n - k), names, name="p"),
        squared_sharpe=max_squared_sharpe(f),
        title=f"Tangency portfolio ({describe_dates(sample.factors.index, sample.freq)})",
        notes=sample.notes,
    )
