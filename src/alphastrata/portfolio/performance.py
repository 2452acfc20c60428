"""How a return series did: pure functions of returns in decimals per period.

Every function takes an array (or Series) of returns without missing values, oldest first.
Rates are annualised by the number of periods in a year: 252 days, 52 weeks, 12 months, 4
quarters. Wealth starts at 1, before the first return.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import numpy.typing as npt

from alphastrata.errors import ConfigError, InputDataError

Float64 = npt.NDArray[np.float64]

PERIODS = {"D": 252, "W": 52, "M": 12, "Q": 4, "Y": 1}


def _array(returns: npt.ArrayLike) -> Float64:
    array = np.asarray(returns, dtype=np.float64)
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise InputDataError(
            f"A return series is one-dimensional, finite and not empty; got shape {array.shape} "
            f"with {int((~np.isfinite(array)).sum())} missing. Drop missing returns first."
        )
    return array


def _centred(array: Float64) -> Float64:
    """Return distances from the mean: exact zeros where all are equal, not the mean's rounding."""
    return array - array.mean() if np.ptp(array) > 0.0 else np.zeros(array.size)


def volatility(returns: npt.ArrayLike, periods: int = 12) -> float:
    """Return the annualised standard deviation (n - 1 in the denominator).

    Examples
    --------
    >>> round(volatility([0.01, -0.01, 0.01, -0.01], 12), 4)
    0.04
    """
    array = _array(returns)
    if array.size < 2:
        return float("nan")
    return sqrt(float(np.sum(_centred(array) ** 2)) / (array.size - 1) * periods)


def sharpe(returns: npt.ArrayLike, periods: int = 12) -> float:
    """Return the annualised mean over the annualised standard deviation of excess returns.

    Examples
    --------
    >>> round(sharpe([0.02, 0.01, 0.0], 12), 4)
    3.4641
    """
    spread = volatility(returns, periods)
    return float(_array(returns).mean() * periods / spread) if spread > 0 else float("nan")


def sortino(returns: npt.ArrayLike, periods: int = 12, *, target: float = 0.0) -> float:
    """Return the annualised mean over ``target`` divided by annualised downside deviation.

    Downside deviation is the root of the mean over all periods of min(return - target, 0)^2
    (Sortino and van der Meer, 1991).

    Examples
    --------
    >>> round(sortino([0.02, -0.01], 12), 4)
    2.4495
    """
    over = _array(returns) - target
    downside = sqrt(float(np.mean(np.minimum(over, 0.0) ** 2)) * periods)
    return float(over.mean() * periods / downside) if downside > 0 else float("nan")


def wealth(returns: npt.ArrayLike) -> Float64:
    """Return wealth from 1 before the first return, shape (n + 1,).

    Examples
    --------
    >>> wealth([0.5, -0.5]).tolist()
    [1.0, 1.5, 0.75]
    """
    return np.concatenate(([1.0], np.cumprod(1.0 + _array(returns))))


@dataclass(frozen=True)
class Drawdown:
    """The deepest fall from a peak of wealth.

    Attributes
    ----------
    depth
        Wealth at the trough over wealth at the peak, minus 1; not positive.
    peak, trough, recovery
        Positions in wealth (0 is before the first return); recovery is -1 where wealth has not
        come back to the peak.
    """

    depth: float
    peak: int
    trough: int
    recovery: int


def max_drawdown(returns: npt.ArrayLike) -> Drawdown:
    """Return the deepest fall of wealth from its running peak.

    Examples
    --------
    >>> max_drawdown([0.5, -0.5, 0.2, 1.0])
    Drawdown(depth=-0.5, peak=1, trough=2, recovery=4)
    """
    path = wealth(returns)
    top = np.maximum.accumulate(path)
    below = np.where(top > 0.0, path / np.where(top > 0.0, top, 1.0) - 1.0, -1.0)
    trough = int(below.argmin())
    peak = int(path[: trough + 1].argmax())
    back = np.flatnonzero(path[trough:] >= path[peak])
    return Drawdown(float(below[trough]), peak, trough, trough + int(back[0]) if back.size else -1)


def compound_growth(returns: npt.ArrayLike, periods: int = 12) -> float:
    """Return the annual rate at which wealth grew.

    Examples
    --------
    >>> round(compound_growth([0.01] * 12, 12), 6)
    0.126825
    """
    path = wealth(returns)
    end = float(path[-1])
    return end ** (periods / (path.size - 1)) - 1.0 if end > 0.0 else -1.0


def calmar(returns: npt.ArrayLike, periods: int = 12) -> float:
    """Return compound growth over the depth of the maximum drawdown.

    Examples
    --------
    >>> round(calmar([0.1, -0.05], 1), 4)
    0.445
    """
    depth = max_drawdown(returns).depth
    return compound_growth(returns, periods) / -depth if depth < 0.0 else float("nan")


def skewness(returns: npt.ArrayLike) -> float:
    """Return the third central moment over the cubed standard deviation (population moments).

    Examples
    --------
    >>> skewness([-1.0, 0.0, 1.0])
    0.0
    """
    array = _array(returns)
    centred = _centred(array)
    spread = float(np.mean(centred**2))
    return float(np.mean(centred**3) / spread**1.5) if spread > 0 else float("nan")


def excess_kurtosis(returns: npt.ArrayLike) -> float:
    """Return the fourth central moment over the squared variance, minus 3 (population moments).

    Examples
    --------
    >>> excess_kurtosis([-1.0, 1.0])
    -2.0
    """
    array = _array(returns)
    centred = _centred(array)
    spread = float(np.mean(centred**2))
    return float(np.mean(centred**4) / spread**2 - 3.0) if spread > 0 else float("nan")


def value_at_risk(returns: npt.ArrayLike, level: float = 0.05) -> float:
    """Return the ``level`` quantile of returns (linear), as a return: negative is a loss.

    Examples
    --------
    >>> value_at_risk([-0.2, 0.0, 0.1, 0.2, 0.3], 0.25)
    0.0
    """
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level lies in (0, 1), got {level}.")
    return float(np.quantile(_array(returns), level))


def expected_shortfall(returns: npt.ArrayLike, level: float = 0.05) -> float:
    """Return the mean of the returns that do not exceed the value at risk.

    Examples
    --------
    >>> expected_shortfall([-0.2, 0.0, 0.1, 0.2, 0.3], 0.25)
    -0.1
    """
    array = _array(returns)
    return float(array[array <= value_at_risk(array, level)].mean())


def hit_rate(returns: npt.ArrayLike) -> float:
    """Return the share of periods with a positive return.

    Examples
    --------
    >>> hit_rate([0.1, -0.1, 0.0, 0.2])
    0.5
    """
    return float((_array(returns) > 0.0).mean())


def alpha_beta(
    returns: npt.ArrayLike, benchmark: npt.ArrayLike, periods: int = 12
) -> tuple[float, float]:
    """Return the annualised alpha (mean per period times periods) and beta by least squares.

    Parameters
    ----------
    returns, benchmark
        Excess returns over the same periods.
    periods
        Periods in a year.

    Examples
    --------
    >>> x = np.array([0.01, 0.02, 0.03])
    >>> alpha, beta = alpha_beta(0.001 + 2 * x, x, 12)
    >>> round(alpha, 6), round(beta, 6)
    (0.012, 2.0)
    """
    y, x = _array(returns), _array(benchmark)
    if y.size != x.size:
        raise InputDataError(f"{y.size} returns meet {x.size} of the benchmark; align them first.")
    centred = _centred(x)
    spread = float(centred @ centred)
    if spread <= 0.0:
        return float("nan"), float("nan")
    beta = float(centred @ (y - y.mean()) / spread)
    return float((y.mean() - beta * x.mean()) * periods), beta
