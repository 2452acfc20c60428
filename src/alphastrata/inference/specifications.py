"""Many Fama-MacBeth specifications from one pass over the panel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from alphastrata.core import Note, Panel, Result
from alphastrata.core.crossproducts import CrossProducts
from alphastrata.errors import ConfigError, EstimationError
from alphastrata.inference.cross_section import regress_by_date
from alphastrata.inference.fama_macbeth import check_columns, lagged_regressors
from alphastrata.inference.hac import HAC, LagRule, as_hac, mean_covariance
from alphastrata.inference.layout import foot
from alphastrata.inference.moments import PIVOT, Rows, moments_by_date, slopes_by_date
from alphastrata.inference.samples import describe_dates
from alphastrata.inference.tails import two_sided

__all__ = ["SpecificationsResult", "specifications"]

Array = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class SpecificationsResult(Result):
    """Average coefficients of S specifications over the same rows.

    Attributes
    ----------
    params, std_errors, tstats, pvalues : DataFrame, S x (1 + candidates)
        Column "const" and the candidates; missing where a candidate is not in a specification.
    r2 : Series
        Average R squared of each specification.
    periods : Series of int
        Dates estimated for each specification.
    specifications : tuple of tuple of str
        The regressors of each.
    """

    params: pd.DataFrame
    std_errors: pd.DataFrame
    tstats: pd.DataFrame
    pvalues: pd.DataFrame
    r2: pd.Series
    periods: pd.Series
    specifications: tuple[tuple[str, ...], ...]
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per candidate: how its coefficient spreads over specifications."""
        slopes = self.params.drop(columns="const")
        t = self.tstats.drop(columns="const")
        significant = (self.pvalues.drop(columns="const") < 0.05).sum() / slopes.count()
        return pd.DataFrame(
            {
                "specifications": slopes.count(),
                "median": slopes.median(),
                "5%": slopes.quantile(0.05),
                "95%": slopes.quantile(0.95),
                "median t": t.median(),
                "share p < 0.05": significant,
                "share positive": (slopes > 0).sum() / slopes.count(),
            }
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)

    def _footer(self) -> list[str]:
        return foot(self.conventions(), self.notes)


def specifications(
    panel: Panel | pd.DataFrame,
    y: str,
    candidates: Sequence[str],
    size: int | Iterable[Sequence[str]],
    *,
    lags: int | LagRule | HAC = 6,
    lag: int = 1,
    weights: str | None = None,
) -> SpecificationsResult:
    """Return Fama-MacBeth averages for every subset of candidates of a size, or for a list.

    Parameters
    ----------
    panel : Panel or DataFrame
        Long data by (date, asset).
    y : str
        Dependent variable.
    candidates : sequence of str
        Regressors to choose from.
    size : int or iterable of sequences of str
        All subsets of this size, or the specifications themselves.
    lags : int, rule or HAC
        Newey-West lags of the coefficient series, as in `fama_macbeth`.
    lag : int
        Candidates and weights are taken this many dates before y.
    weights : str, optional
        Weighted least squares by date.

    Returns
    -------
    SpecificationsResult

    Raises
    ------
    ConfigError
        If a specification names no candidate, or there are more than a million.

    Notes
    -----
    One matrix of cross-products of all candidates and y is formed per date, over rows on which
    **all candidates** are present, so that every specification sees the same rows. Each is then
    a small solve per date. Where a date's smallest pivot is below 1e-5, that date is solved by
    QR of its rows, as in `fama_macbeth`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> dates = pd.date_range("2000-01-31", periods=60, freq="ME")
    >>> index = pd.MultiIndex.from_product([dates, range(50)], names=["date", "asset"])
    >>> data = pd.DataFrame(rng.normal(size=(3000, 4)), index, ["a", "b", "c", "ret"])
    >>> result = specifications(data, "ret", ["a", "b", "c"], 2, lag=0)
    >>> len(result.specifications)
    3
    """
    hac = as_hac(lags)
    panel = panel if isinstance(panel, Panel) else Panel(panel)
    names = list(candidates)
    check_columns(panel, y, names, weights, True, lag)
    chosen = _subsets(names, size)
    columns, w = lagged_regressors(panel, names, weights, lag, None)
    products = moments_by_date([*columns, panel.values(y)], panel.offsets, w)
    position = {name: i for i, name in enumerate(names)}
    k = len(names)
    shape = (len(chosen), k + 1)
    params, errors = np.full(shape, np.nan), np.full(shape, np.nan)
    r2, periods = np.full(len(chosen), np.nan), np.zeros(len(chosen), dtype=np.int64)
    refined = 0
    for s, specification in enumerate(chosen):
        x = [position[name] for name in specification]
        coefficients, fit, again = _solve(products, x, k, columns, panel, y, w)
        refined += again
        good = ~np.isnan(coefficients[:, 0])
        periods[s] = good.sum()
        if periods[s] < 2:
            continue
        rows = coefficients[good]
        at = [0, *(i + 1 for i in x)]
        params[s, at] = rows.mean(axis=0)
        errors[s, at] = _errors(rows, hac)
        r2[s] = fit[good].mean()
    if not (periods >= 2).any():
        raise EstimationError(
            "No specification could be estimated on two dates; too few rows have all candidates."
        )
    index = pd.RangeIndex(len(chosen), name="specification")
    labels = pd.Index(["const", *names], name="coefficient")
    tstats = params / errors
    dof = np.maximum(periods - 1, 1)[:, None] if hac.small_sample else None
    words = describe_dates(panel.dates, panel.freq)
    return SpecificationsResult(
        params=pd.DataFrame(params, index, labels),
        std_errors=pd.DataFrame(errors, index, labels),
        tstats=pd.DataFrame(tstats, index, labels),
        pvalues=pd.DataFrame(two_sided(tstats, dof), index, labels),
        r2=pd.Series(r2, index, name="r2"),
        periods=pd.Series(periods, index, name="periods"),
        specifications=tuple(tuple(c) for c in chosen),
        lines=(
            f"{len(chosen):,} specifications on the rows that have all {k} candidates "
            f"({int(products.count.sum()):,} rows).",
            f"Standard errors: {hac.describe(lost='1')}; candidates known {lag} dates before {y}.",
            f"{refined} ill-conditioned dates of specifications solved by QR.",
        ),
        title=f"Specifications of {y} on {k} candidates ({words})",
        notes=panel.notes,
    )


def _subsets(names: list[str], size: int | Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    if isinstance(size, int):
        if not 1 <= size <= len(names):
            raise ConfigError(f"size must be from 1 to {len(names)} candidates; got {size}.")
        if comb(len(names), size) > 1_000_000:
            raise ConfigError(
                f"{comb(len(names), size):,} specifications are too many; hand in a list of them."
            )
        return list(combinations(names, size))
    chosen = [tuple(c) for c in size]
    known = set(names)
    for c in chosen:
        if not c or len(set(c)) < len(c) or not set(c) <= known:
            raise ConfigError(f"A specification names distinct candidates; got {c}.")
    if not chosen:
        raise ConfigError("Give at least one specification.")
    return chosen


def _solve(
    products: CrossProducts,
    x: list[int],
    y_at: int,
    columns: Sequence[Rows],
    panel: Panel,
    y: str,
    w: Rows | None,
) -> tuple[Array, Array, int]:
    """Return coefficients, R squared by date, and how many dates went through QR."""
    slopes = slopes_by_date(products, x, y_at)
    poor = np.flatnonzero(slopes.pivot < PIVOT)
    for d in poor:
        rows = slice(int(panel.offsets[d]), int(panel.offsets[d + 1]))
        block = [c[rows] for c in columns]
        present = ~np.isnan(np.column_stack(block)).any(axis=1)
        alone = regress_by_date(
            np.where(present, panel.values(y)[rows], np.nan),
            [block[i] for i in x],
            np.array([0, rows.stop - rows.start]),
            weights=None if w is None else w[rows],
        )
        slopes.params[d], slopes.r2[d] = alone.params[0], alone.r2[0]
    return slopes.params, slopes.r2, len(poor)


def _errors(rows: Array, hac: HAC) -> Array:
    """Return standard errors of the means of coefficient series."""
    if isinstance(hac.lags, int) and hac.kernel == "bartlett":
        factor = len(rows) / (len(rows) - 1) if hac.small_sample else 1.0
        width = min(hac.lags, len(rows) - 1) + 1
        return np.asarray(np.sqrt(_bartlett_of_means(rows, width) * factor))
    covariance, _ = mean_covariance(rows, hac.lags, hac.kernel, small_sample=hac.small_sample)
    return np.sqrt(np.diag(covariance))


@njit(cache=True, nogil=True)
def _bartlett_of_means(rows: Array, width: int) -> Array:
    """Return the Bartlett variance of each column's mean, window by window."""
    n, k = rows.shape
    out = np.zeros(k)
    for j in range(k):
        mean = 0.0
        for t in range(n):
            mean += rows[t, j]
        mean /= n
        running, squares = 0.0, 0.0
        for t in range(n + width - 1):
            if t < n:
                running += rows[t, j] - mean
            if t >= width:
                running -= rows[t - width, j] - mean
            squares += running * running
        out[j] = squares / width / n / n
    return out
