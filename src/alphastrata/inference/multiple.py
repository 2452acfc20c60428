"""p-values adjusted for the number of tests, and the t-statistics that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.tails import two_sided

__all__ = ["Adjustment", "adjust_pvalues", "adjustments", "t_threshold"]

Array = NDArray[np.float64]
Adjustment = Literal["bonferroni", "holm", "hochberg", "hommel", "bh", "by"]


def adjust_pvalues(
    pvalues: pd.Series | Sequence[float] | Array,
    method: Adjustment = "holm",
    *,
    n_tests: int | None = None,
) -> pd.Series:
    """Return p-values adjusted for many tests: reject where the result is below the level.

    Parameters
    ----------
    pvalues : Series or sequence of float
        p-values of single tests; missing ones stay missing and do not count.
    method : {"bonferroni", "holm", "hochberg", "hommel", "bh", "by"}
        Family-wise error rate: Bonferroni; Holm (1979), any dependence; Hochberg (1988) and
        Hommel (1988), independence or positive dependence. False discovery rate: Benjamini and
        Hochberg (1995), independence or positive dependence; Benjamini and Yekutieli (2001), any
        dependence.
    n_tests : int, optional
        How many tests were made, when not all are at hand (from a ledger of trials); those not
        at hand are taken to have p-values of one.

    Returns
    -------
    Series
        Adjusted p-values under the labels of the input.

    Raises
    ------
    InputDataError
        If a p-value is outside [0, 1] or none is there.
    ConfigError
        If the method is unknown or n_tests is below the number of p-values.

    Examples
    --------
    >>> adjust_pvalues([0.01, 0.02, 0.04], "holm").round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    series = pd.Series(pvalues, dtype=np.float64)
    values = series.to_numpy()
    present = ~np.isnan(values)
    p = values[present]
    if p.size == 0 or ((p < 0) | (p > 1)).any():
        raise InputDataError(
            f"p-values lie in [0, 1] and there is at least one; got {p.size} of which "
            f"{int(((p < 0) | (p > 1)).sum())} outside."
        )
    m = p.size if n_tests is None else n_tests
    if m < p.size:
        raise ConfigError(f"n_tests must be at least the {p.size} p-values at hand; got {m}.")
    if method not in get_args(Adjustment):
        raise ConfigError(f"method is one of {get_args(Adjustment)}; got {method!r}.")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(p.size)
    adjusted[order] = _adjust(p[order], m, method)
    out = np.full(values.size, np.nan)
    out[present] = adjusted
    return pd.Series(out, index=series.index, name=method)


def adjustments(
    pvalues: pd.Series | Sequence[float] | Array, *, n_tests: int | None = None
) -> pd.DataFrame:
    """Return the p-values and all six adjustments side by side."""
    series = pd.Series(pvalues, dtype=np.float64)
    table = {"p": series}
    for method in get_args(Adjustment):
        table[method] = adjust_pvalues(series, method, n_tests=n_tests)
    return pd.DataFrame(table)


def t_threshold(
    tstats: pd.Series | Sequence[float] | Array,
    method: Adjustment = "by",
    *,
    level: float = 0.05,
    n_tests: int | None = None,
    df: float | None = None,
) -> float:
    """Return the smallest |t| that counts as significant among these tests.

    Parameters
    ----------
    tstats : Series or sequence of float
        t-statistics of the tests at hand.
    method, n_tests
        See `adjust_pvalues`.
    level : float
        Family-wise error or false discovery rate.
    df : float, optional
        Degrees of freedom of Student's t; normal when None.

    Returns
    -------
    float
        A new test of this family is significant at or above it: the |t| whose p-value equals
        the largest single-test level at which the procedure still rejects, at least that of
        Bonferroni.

    Notes
    -----
    The hurdle of Harvey, Liu and Zhu (2016): with their 313 published factors it was about 3.0
    at 5% under Benjamini and Yekutieli, in place of 2.0.

    Examples
    --------
    >>> round(t_threshold([2.0, 2.5, 3.5], "bonferroni", n_tests=100), 2)
    3.48
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level lies between 0 and 1; got {level}.")
    t = np.asarray(pd.Series(tstats, dtype=np.float64).dropna())
    p = np.sort(two_sided(t, df))
    m = p.size if n_tests is None else n_tests
    adjusted = adjust_pvalues(p, method, n_tests=n_tests).to_numpy()
    rejected = int((adjusted <= level).sum())
    if method == "bonferroni":
        cut = level / m
    elif method in ("bh", "by"):
        cut = level * max(rejected, 1) / (m * (_harmonic(m) if method == "by" else 1.0))
    else:
        # Next in line after those rejected: step-down Holm, and its step-up relatives from it.
        cut = level / max(m - min(rejected, m - 1), 1)
        if method != "holm" and rejected:
            cut = max(cut, float(p[rejected - 1]))
        elif method == "holm" and rejected:
            cut = level / (m - rejected + 1)
    return float(-(ndtri(cut / 2) if df is None else stdtrit(df, cut / 2)))


def _harmonic(m: int) -> float:
    return float((1.0 / np.arange(1, m + 1)).sum())


def _adjust(p: Array, m: int, method: Adjustment) -> Array:
    """Return adjusted p-values of ascending p-values among m tests."""
    rank = np.arange(1.0, p.size + 1.0)
    if method == "bonferroni":
        return np.minimum(p * m, 1.0)
    if method == "holm":
        return np.minimum(np.maximum.accumulate(p * (m - rank + 1)), 1.0)
    full = np.concatenate([p, np.ones(m - p.size)])
    rank = np.arange(1.0, m + 1.0)
    if method == "hommel":
        return _hommel(full)[: p.size]
    if method == "hochberg":
        scaled = full * (m - rank + 1)
    else:
        scaled = full * m / rank * (_harmonic(m) if method == "by" else 1.0)
    return np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)[: p.size]


def _hommel(p: Array) -> Array:
    """Return Hommel-adjusted ascending p-values (Wright 1992, appendix)."""
    m = p.size
    rank = np.arange(1, m + 1)
    adjusted = np.full(m, (m * p / rank).min())
    q = adjusted.copy()
    for j in range(m - 1, 1, -1):
        upper = np.arange(m - j + 1, m)
        smallest = (j * p[upper] / np.arange(2, j + 1)).min()
        lower = np.arange(m - j + 1)
        q[lower] = np.minimum(j * p[lower], smallest)
        q[upper] = q[m - j]
        adjusted = np.maximum(adjusted, q)
    return np.maximum(adjusted, p)
