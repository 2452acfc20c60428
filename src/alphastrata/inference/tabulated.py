"""Tests that give one row per factor or model, as results of the common look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from alphastrata.core import Note, Result
from alphastrata.errors import InputDataError
from alphastrata.inference.comparison import pricing_table
from alphastrata.inference.factor_models import select_factors
from alphastrata.inference.hac import HAC, LagRule
from alphastrata.inference.ledoit_wolf import sharpe_difference
from alphastrata.inference.multiple import adjustments, t_threshold
from alphastrata.inference.samples import Returns, align, describe_dates
from alphastrata.inference.sharpe import minimum_track_record, probabilistic_sharpe, sharpe_moments
from alphastrata.inference.time_series import time_series

__all__ = [
    "TableResult",
    "adjusted_alphas",
    "factor_selection",
    "pricing_models",
    "sharpe_differences",
    "track_record",
]


@dataclass(frozen=True, repr=False)
class TableResult(Result):
    """Numbers in one frame, for tests without a standard error of each.

    Attributes
    ----------
    frame : DataFrame
        One row per factor, pair or model.
    lines : tuple of str
        Conventions.
    """

    frame: pd.DataFrame
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.DataFrame:
        """The numbers of the table."""
        return self.frame.select_dtypes("number")

    @property
    def std_errors(self) -> pd.DataFrame:
        """None: missing values in the shape of the numbers."""
        return self.params * np.nan

    @property
    def tstats(self) -> pd.DataFrame:
        """None: missing values in the shape of the numbers."""
        return self.params * np.nan

    @property
    def pvalues(self) -> pd.DataFrame:
        """The columns that are p-values; missing elsewhere."""
        shown = [str(c) == "p" or str(c).startswith("p ") for c in self.params]
        return self.params.where(np.tile(shown, (len(self.params), 1)))

    def table(self) -> pd.DataFrame:
        """Return the frame."""
        return self.frame

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def pricing_models(returns: Returns, models: Mapping[str, Returns]) -> TableResult:
    """Return GRS and pricing errors of the same assets under several models.

    Parameters
    ----------
    returns, models
        As in `pricing_table`.

    Notes
    -----
    Source: Fama and French (2015, table 5).
    """
    return TableResult(
        pricing_table(returns, models),
        (
            "Each model on its own dates. A|a|: average absolute alpha; r: mean return less the "
            "mean over assets; A(l2)/A(m2): squared sampling errors taken off both sums.",
        ),
        "Pricing errors by model",
    )


def factor_selection(
    candidates: Returns, *, always: Sequence[str] = (), most: int | None = None
) -> TableResult:
    """Return subsets of factors by adjusted squared Sharpe ratio, best first.

    Parameters
    ----------
    candidates, always, most
        As in `select_factors`.
    """
    table = select_factors(candidates, always=always, most=most)
    return TableResult(
        table.set_index("factors").rename(columns={"n": "number"}),
        (
            "Squared Sharpe ratios per period, covariance by T; adjusted for bias (Barillas, Kan, "
            "Robotti and Shanken 2020). p left out: GRS of the factors that a model leaves out.",
            "The best of many subsets is chosen by luck too.",
        ),
        "Factor selection by squared Sharpe ratio",
    )


def track_record(
    returns: Returns, *, benchmark: float = 0.0, confidence: float = 0.95
) -> TableResult:
    """Return each Sharpe ratio, its probability to exceed a benchmark, and the history it needs.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Zero-cost or excess returns, each over its own dates.
    benchmark : float
        Sharpe ratio per period to beat.
    confidence : float
        Of the minimum track record.

    Notes
    -----
    Source: Bailey and López de Prado (2012).
    """
    sample = align(returns, None)
    rows = {}
    for name in sample.returns:
        try:
            moments = sharpe_moments(sample.returns[name])
        except InputDataError as error:
            raise InputDataError(f"{error} Series: {name!r}. Leave it out.") from error
        rows[name] = {
            "Sharpe": moments.sharpe,
            "std_error": moments.error(),
            "skewness": moments.skewness,
            "kurtosis": moments.kurtosis,
            "probability": probabilistic_sharpe(moments, benchmark),
            "periods": float(moments.n_periods),
            "periods needed": minimum_track_record(moments, benchmark, confidence=confidence),
        }
    words = describe_dates(sample.returns.index, sample.freq)
    return TableResult(
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor"),
        (
            f"Probability that the true ratio exceeds {benchmark:g} per period, and the number of "
            f"periods that say so with a confidence of {confidence:.0%}; independent returns.",
        ),
        f"Probabilistic Sharpe ratios and minimum track records ({words})",
        sample.notes,
    )


def sharpe_differences(
    returns: Returns,
    against: Returns,
    *,
    hac: HAC | None = None,
    draws: int = 999,
    block: int = 5,
    seed: int = 0,
) -> TableResult:
    """Return, for each series, the test that its Sharpe ratio equals that of another one.

    Parameters
    ----------
    returns : FactorReturns, DataFrame or Series
        Series to compare.
    against : FactorReturns, DataFrame or Series
        One series, for example the market.
    hac, draws, block, seed
        As in `sharpe_difference`.
    """
    sample = align(returns, None)
    rows, lines, notes = {}, {}, dict.fromkeys(sample.notes)
    for name in sample.returns:
        found = sharpe_difference(
            sample.returns[[name]], against, hac=hac, draws=draws, block=block, seed=seed
        )
        rows[name] = {
            "Sharpe": found.first,
            "Sharpe of the other": found.second,
            "difference": found.difference,
            "std_error": found.std_error,
            "p": found.pvalue,
            "p bootstrap": found.bootstrap_pvalue,
        }
        lines[name], notes = found.description, notes | dict.fromkeys(found.notes)
    other = align(against, None).returns.columns[0]
    return TableResult(
        pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor"),
        ("Ledoit and Wolf (2008).", *dict.fromkeys(lines.values())),
        f"Sharpe ratios less that of {other}",
        tuple(notes),
    )


def adjusted_alphas(
    returns: Returns,
    factors: Returns,
    *,
    lags: int | LagRule | HAC = 6,
    n_tests: int | None = None,
    level: float = 0.05,
) -> TableResult:
    """Return p-values of alphas under every adjustment, and the |t| that each of them asks for.

    Parameters
    ----------
    returns, factors, lags
        As in `time_series`.
    n_tests : int, optional
        Number of tests made, when more than are shown.
    level : float
        Of the hurdles.

    Notes
    -----
    Source: Harvey, Liu and Zhu (2016), and see `adjust_pvalues`.
    """
    found = time_series(returns, factors, lags=lags)
    tstats = found.tstats["alpha"]
    table = pd.concat(
        [tstats.rename("t"), adjustments(found.pvalues["alpha"], n_tests=n_tests)], axis=1
    )
    df = float(found.nobs.min() - found.params.shape[1])
    hurdles = ", ".join(
        f"{method} {t_threshold(tstats, method, level=level, n_tests=n_tests, df=df):.2f}"
        for method in ("bonferroni", "holm", "by")
    )
    return TableResult(
        table,
        (
            f"|t| that a new factor needs at {level:.0%} among {n_tests or len(table)} tests: "
            f"{hurdles} (Harvey, Liu and Zhu 2016; Student's t({df:.0f})).",
            f"Standard errors: {found.covariance}.",
        ),
        found.title.replace("Time-series regressions", "Adjusted p-values of alphas"),
        found.notes,
    )
