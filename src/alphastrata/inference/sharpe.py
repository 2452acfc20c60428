"""Sharpe ratios under scrutiny: probabilistic, deflated, track records and differences."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from alphastrata.core import FactorReturns
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.inference.hac import HAC, long_run_covariance, select_bandwidth
from alphastrata.inference.samples import Returns, align
from alphastrata.inference.tails import two_sided

__all__ = [
    "DeflatedSharpe",
    "SharpeDifference",
    "SharpeMoments",
    "deflated_sharpe",
    "expected_maximum_sharpe",
    "minimum_track_record",
    "probabilistic_sharpe",
    "sharpe_difference",
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


@dataclass(frozen=True)
class DeflatedSharpe:
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

    def __str__(self) -> str:
        """Return it as one line."""
        return (
            f"Sharpe {self.sharpe:.4f} per period against {self.threshold:.4f} expected from the "
            f"best of {self.n_trials} trials: deflated Sharpe ratio {self.probability:.4f}"
        )


@dataclass(frozen=True)
class SharpeDifference:
    """Test that two Sharpe ratios are equal.

    Attributes
    ----------
    first, second, difference : float
        Ratios per period and first less second.
    std_error, pvalue : float
        HAC standard error of the difference and its normal p-value.
    bootstrap_pvalue : float
        p-value of the studentised circular block bootstrap; NaN without one.
    """

    first: float
    second: float
    difference: float
    std_error: float
    pvalue: float
    bootstrap_pvalue: float
    description: str


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
    centred = r - r.mean()
    second = (centred**2).mean()
    if r.size < 3 or not second > 0:
        raise InputDataError(f"A Sharpe ratio needs three values that vary; got {r.size}.")
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


def sharpe_difference(
    first: Returns,
    second: Returns,
    *,
    hac: HAC | None = None,
    draws: int = 0,
    block: int = 5,
    seed: int = 0,
) -> SharpeDifference:
    """Return the test that two return series have the same Sharpe ratio.

    Parameters
    ----------
    first, second : FactorReturns, DataFrame or Series
        One series of excess returns each, on common dates.
    hac : HAC, optional
        By default a quadratic-spectral kernel, prewhitened, with Andrews' bandwidth and the
        factor T / (T - 4), as in the paper.
    draws : int
        Resamples of the studentised circular block bootstrap; 0 for none (4,999 in the paper).
    block, seed : int
        Block length in periods, and seed of the generator.

    Returns
    -------
    SharpeDifference

    Notes
    -----
    Delta method on both means and both second moments. The HAC test rejects too often in small
    samples with fat tails or autocorrelation; the bootstrap is the better test then.

    Source: Ledoit and Wolf (2008); Jobson and Korkie (1981) assumed independent normal returns.
    """
    chosen = hac or HAC("andrews-prewhitened", "quadratic-spectral")
    sample = align(first, second).complete()
    if sample.y.shape[1] != 1 or sample.f.shape[1] != 1:
        raise InputDataError("Two series are compared; select one column of each.")
    x = np.column_stack([sample.y, sample.f])
    n = len(x)
    a, b = _sharpe(x)
    error = _hac_error(x, chosen)
    p_boot = float("nan")
    if draws:
        p_boot = _bootstrap_difference(x, error, draws, block, np.random.default_rng(seed))
    return SharpeDifference(
        first=a,
        second=b,
        difference=a - b,
        std_error=error,
        pvalue=float(two_sided((a - b) / error)),
        bootstrap_pvalue=p_boot,
        description=f"T = {n}; {chosen.kernel} kernel, lags {chosen.lags}; {draws} resamples of "
        f"blocks of {block}, seed {seed}. Ratios with divisor T.",
    )


def _series(returns: pd.Series | Array | FactorReturns) -> Array:
    if isinstance(returns, FactorReturns):
        frame = returns.excess()
        if frame.shape[1] != 1:
            raise InputDataError(f"Give one series; got {frame.shape[1]}. Use select([name]).")
        returns = frame.iloc[:, 0]
    values = np.asarray(returns, dtype=np.float64)
    if values.ndim != 1:
        raise InputDataError(f"Give one series; got an array of shape {values.shape}.")
    return values[~np.isnan(values)]


def _sharpe(x: Array) -> tuple[float, float]:
    ratios = x.mean(axis=0) / x.std(axis=0)
    return float(ratios[0]), float(ratios[1])


def _gradient_scores(x: Array) -> tuple[Array, Array]:
    """Return the gradient of the difference in (m1, m2, s1, s2) and the demeaned moments."""
    m = x.mean(axis=0)
    second = (x**2).mean(axis=0)
    scale = (second - m**2) ** 1.5
    gradient = np.array(
        [second[0] / scale[0], -second[1] / scale[1], -m[0] / scale[0] / 2, m[1] / scale[1] / 2]
    )
    return gradient, np.column_stack([x - m, x**2 - second])


def _hac_error(x: Array, hac: HAC) -> float:
    gradient, moments = _gradient_scores(x)
    n = len(x)
    bandwidth = select_bandwidth(moments, hac.lags, hac.kernel)
    psi = long_run_covariance(moments, bandwidth, hac.kernel)
    factor = n / (n - 4) if hac.small_sample else 1.0
    return float(np.sqrt(gradient @ psi @ gradient * factor / n))


def _bootstrap_difference(
    x: Array, error: float, draws: int, block: int, rng: np.random.Generator
) -> float:
    """Return the p-value of the studentised circular block bootstrap (section 3.2.2)."""
    n = len(x)
    if not 1 <= block <= n // 2:
        raise ConfigError(f"block must be from 1 to half of the {n} periods; got {block}.")
    a, b = _sharpe(x)
    gap = a - b
    blocks = n // block
    observed, beyond = abs(gap) / error, 0
    for _ in range(draws):
        starts = rng.integers(0, n, blocks)
        rows = (starts[:, None] + np.arange(block)) % n
        sample = x[rows.reshape(-1)]
        a_star, b_star = _sharpe(sample)
        gradient, moments = _gradient_scores(sample)
        # Sums of each block's moments are independent: their outer products give psi.
        sums = moments.reshape(blocks, block, 4).sum(axis=1) / np.sqrt(block)
        influence = sums @ gradient
        spread = np.sqrt((influence**2).mean() / len(sample))
        beyond += abs(a_star - b_star - gap) / spread >= observed
    return (beyond + 1) / (draws + 1)
