"""Sharpe ratios under scrutiny: probabilistic, deflated, minimum track records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from alphastrata.core import FactorReturns, Note, Result
from alphastrata.errors import ConfigError, InputDataError

__all__ = [
    "DeflatedSharpe",
    "SharpeMoments",
    "deflated_sharpe",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "probabilistic_sharpe",
    "sharpe_moments",
]

Array = NDArray[np.float64]
_EULER = 0.5772156649015329


@dataclass(frozen=True)
class SharpeMoments:
    """What inference about a Sharpe ratio needs, per period (not annualised).

    Attributes
    ----------
    sharpe : float
        Mean over standard deviation (divisor T - 1).
    n_periods : int
        T.
    skewness, kurtosis : float
        Of returns; kurtosis is 3 for a normal distribution.
    """

    sharpe: float
    n_periods: int
    skewness: float = 0.0
    kurtosis: float = 3.0

    def error(self) -> float:
        """Return the standard error of the ratio (Mertens 2002; independent returns)."""
        s = self.sharpe
        variance = 1.0 - self.skewness * s + (self.kurtosis - 1.0) / 4.0 * s**2
        return float(np.sqrt(variance / (self.n_periods - 1)))


@dataclass(frozen=True, repr=False)
class DeflatedSharpe(Result):
    """A Sharpe ratio against the best that so many trials give by luck.

    Attributes
    ----------
    sharpe, threshold : float
        The ratio, and the expected maximum of the trials under the null, per period.
    probability : float
        Deflated Sharpe ratio: the probability that the true ratio exceeds the threshold.
    n_trials : int
    trial_std : float
        Standard deviation of the trials' ratios.
    """

    sharpe: float
    threshold: float
    probability: float
    n_trials: int
    trial_std: float
    std_error: float
    title: str = "Deflated Sharpe ratio"
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """The ratio per period."""
        return pd.Series({"Sharpe": self.sharpe})

    @property
    def std_errors(self) -> pd.Series:
        """Its standard error."""
        return pd.Series({"Sharpe": self.std_error})

    @property
    def tstats(self) -> pd.Series:
        """Excess over the threshold, in standard errors."""
        return (self.params - self.threshold) / self.std_errors

    @property
    def pvalues(self) -> pd.Series:
        """One less the deflated Sharpe ratio."""
        return pd.Series({"Sharpe": 1.0 - self.probability})

    def table(self) -> pd.DataFrame:
        """Return ratio, threshold, deflated ratio, trials and their spread, one row each."""
        return pd.Series(
            {
                "Sharpe ratio": self.sharpe,
                "expected maximum of trials": self.threshold,
                "deflated Sharpe ratio": self.probability,
                "trials": float(self.n_trials),
                "standard deviation of trials": self.trial_std,
            }
        ).to_frame("value")

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [
            "Ratios per period; independent returns and trials (Bailey and López de Prado 2014)."
        ]

    def __str__(self) -> str:
        """Return it as one line."""
        return (
            f"Sharpe {self.sharpe:.4f} per period against {self.threshold:.4f} expected from the "
            f"best of {self.n_trials} trials: deflated Sharpe ratio {self.probability:.4f}"
        )


def sharpe_moments(returns: pd.Series | Array | FactorReturns) -> SharpeMoments:
    """Return Sharpe ratio, length, skewness and kurtosis of one series of excess returns.

    Parameters
    ----------
    returns : Series, ndarray or FactorReturns
        One series of excess or zero-cost returns; missing values are left out.

    Raises
    ------
    InputDataError
        If there are fewer than three values or they do not vary.
    """
    r = _series(returns)
    # One number over and over has a variance of rounding errors.
    if r.size < 3 or not np.ptp(r) > 1e-12 * np.abs(r).max():
        raise InputDataError(f"A Sharpe ratio needs three values that vary; got {r.size}.")
    centred = r - r.mean()
    second = (centred**2).mean()
    return SharpeMoments(
        sharpe=float(r.mean() / r.std(ddof=1)),
        n_periods=int(r.size),
        skewness=float((centred**3).mean() / second**1.5),
        kurtosis=float((centred**4).mean() / second**2),
    )


def probabilistic_sharpe(
    returns: SharpeMoments | pd.Series | Array | FactorReturns, benchmark: float = 0.0
) -> float:
    """Return the probability that the true Sharpe ratio exceeds a benchmark.

    Parameters
    ----------
    returns : SharpeMoments, Series, ndarray or FactorReturns
        One series, or its moments.
    benchmark : float
        Ratio per period.

    Notes
    -----
    PSR = Phi((SR - SR*) / se). Source: Bailey and López de Prado (2012).

    Examples
    --------
    >>> round(probabilistic_sharpe(SharpeMoments(0.1, 101)), 4)
    0.8407
    """
    moments = returns if isinstance(returns, SharpeMoments) else sharpe_moments(returns)
    return float(ndtr((moments.sharpe - benchmark) / moments.error()))


def expected_maximum_sharpe(n_trials: int, trial_std: float) -> float:
    """Return the expected largest Sharpe ratio of trials whose true ratio is zero.

    Parameters
    ----------
    n_trials : int
        Number of independent trials; 1 gives 0.
    trial_std : float
        Standard deviation of ratios across trials, per period.

    Notes
    -----
    sd ((1 - g) Z^-1[1 - 1/N] + g Z^-1[1 - 1/(N e)]), g Euler's constant. Source: Bailey and
    López de Prado (2014).

    Examples
    --------
    >>> round(expected_maximum_sharpe(100, (0.5 / 250) ** 0.5), 4)
    0.1132
    """
    if n_trials < 1:
        raise ConfigError(f"There is at least one trial; got {n_trials}.")
    if not 0.0 <= trial_std < np.inf:
        raise ConfigError(f"trial_std is a standard deviation, 0 or above; got {trial_std}.")
    if n_trials == 1:
        return 0.0
    upper = (1 - _EULER) * ndtri(1 - 1 / n_trials) + _EULER * ndtri(1 - 1 / (n_trials * np.e))
    return float(trial_std * upper)


def deflated_sharpe(
    returns: SharpeMoments | pd.Series | Array | FactorReturns, n_trials: int, trial_std: float
) -> DeflatedSharpe:
    """Return the probability that a Sharpe ratio chosen from many trials is no luck.

    Parameters
    ----------
    returns : SharpeMoments, Series, ndarray or FactorReturns
        The chosen series, or its moments.
    n_trials : int
        Independent trials made; a ledger counts them. Correlated trials count for fewer.
    trial_std : float
        Standard deviation of the trials' ratios, per period.

    Notes
    -----
    The example of Bailey and López de Prado (2014): annual ratio 2.5 over 1,250 days, skewness
    -3, kurtosis 10, 100 trials of variance 1/2: threshold 0.1132 a day, DSR 0.9004.

    Examples
    --------
    >>> daily = SharpeMoments(2.5 / 250**0.5, 1250, -3.0, 10.0)
    >>> round(deflated_sharpe(daily, 100, (0.5 / 250) ** 0.5).probability, 4)
    0.9004
    """
    moments = returns if isinstance(returns, SharpeMoments) else sharpe_moments(returns)
    threshold = expected_maximum_sharpe(n_trials, trial_std)
    return DeflatedSharpe(
        sharpe=moments.sharpe,
        threshold=threshold,
        probability=probabilistic_sharpe(moments, threshold),
        n_trials=n_trials,
        trial_std=trial_std,
        std_error=moments.error(),
    )


def minimum_track_record(
    returns: SharpeMoments | pd.Series | Array | FactorReturns,
    benchmark: float = 0.0,
    *,
    confidence: float = 0.95,
) -> float:
    """Return how many periods are needed to say that a Sharpe ratio exceeds a benchmark.

    Returns infinity when the ratio does not exceed the benchmark. Source: Bailey and López de
    Prado (2012, equation 13).

    Examples
    --------
    >>> round(minimum_track_record(SharpeMoments(0.2, 60)), 1)
    70.0
    """
    if not 0.0 < confidence < 1.0:
        raise ConfigError(f"confidence lies between 0 and 1; got {confidence}.")
    moments = returns if isinstance(returns, SharpeMoments) else sharpe_moments(returns)
    if moments.sharpe <= benchmark:
        return float("inf")
    variance = moments.error() ** 2 * (moments.n_periods - 1)
    return float(1.0 + variance * (ndtri(confidence) / (moments.sharpe - benchmark)) ** 2)


def _series(returns: pd.Series | Array | FactorReturns) -> Array:
    if isinstance(returns, FactorReturns):
        frame = returns.excess()
        if frame.shape[1] != 1:
            raise InputDataError(f"Give one series; got {frame.shape[1]}. Use select([name]).")
        returns = frame.iloc[:, 0]
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1:
        raise InputDataError(f"Give one series; got an array of shape {values.shape}.")
    if np.isinf(values).any():
        raise InputDataError(
            f"Returns must be finite or missing; {int(np.isinf(values).sum())} are infinite. "
            "Replace them."
        )
    return values[~np.isnan(values)]
