"""Long-run covariances: kernels, lag rules and the Newey-West family.

Everything here is a pure function of arrays. Time runs along the first axis.

Where packages differ
---------------------
* ``lags`` always is the largest lag with a positive Bartlett weight: the weight at lag j is
  ``1 - j / (lags + 1)``. R's ``sandwich``, statsmodels, Stata and linearmodels count alike;
  EViews and Andrews (1991) speak of the bandwidth ``lags + 1``.
* The automatic rule of Newey and West (1994) follows ``sandwich``: pilot lags
  ``floor(4 (T/100)^(2/9))`` (3 in place of 4 after prewhitening) and the plug-in bandwidth
  rounded down for the Bartlett kernel. linearmodels rounds both up; Stata's ``ivreg2`` rounds
  down the pilot and the bandwidth.
* Small samples: ``T / (T - K)`` is a choice of the caller. Stata's ``newey`` and
  ``kernHAC(adjust = TRUE)`` apply it, ``NeweyWest`` of ``sandwich`` does not by default, nor
  does statsmodels unless ``use_correction=True``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from alphastrata.errors import ConfigError
from alphastrata.inference.bandwidth import (
    Bandwidth,
    Kernel,
    LagRule,
    fixed_lags,
    select_bandwidth,
    whiten,
)

__all__ = [
    "HAC",
    "Bandwidth",
    "Kernel",
    "LagRule",
    "as_hac",
    "fixed_lags",
    "kernel_weights",
    "long_run_covariance",
    "mean_covariance",
    "select_bandwidth",
]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class HAC:
    """How autocorrelation-robust standard errors are to be computed.

    Attributes
    ----------
    lags : int or rule
        Number of lags, or a named rule; see `select_bandwidth`.
    kernel : {"bartlett", "parzen", "quadratic-spectral"}
        Kernel.
    small_sample : bool
        Multiply the covariance by T / (T - K) and take p-values from Student's t; otherwise
        neither.

    Examples
    --------
    >>> HAC(lags="andrews", kernel="quadratic-spectral").small_sample
    True
    """

    lags: int | LagRule = 6
    kernel: Kernel = "bartlett"
    small_sample: bool = True

    def __post_init__(self) -> None:
        """Check the settings."""
        whole = isinstance(self.lags, (int, np.integer)) and not isinstance(self.lags, bool)
        if (whole and self.lags < 0) or (not whole and self.lags not in get_args(LagRule)):  # type: ignore[operator]
            raise ConfigError(
                f"lags must be a whole number from 0 or one of {get_args(LagRule)}; "
                f"got {self.lags!r}."
            )
        if self.kernel not in get_args(Kernel):
            raise ConfigError(f"kernel must be one of {get_args(Kernel)}; got {self.kernel!r}.")
        if whole:
            object.__setattr__(self, "lags", int(self.lags))

    def describe(
        self,
        bandwidths: tuple[Bandwidth, ...] = (),
        *,
        lost: str = "K",
        pvalues: bool = True,
    ) -> str:
        """Return kernel, lags and small-sample factor in words.

        Parameters
        ----------
        bandwidths : tuple of Bandwidth
            Those that were used, where they are known.
        lost : str
            Degrees of freedom that the small-sample factor T / (T - lost) takes off.
        pvalues : bool
            Whether p-values follow the factor: Student's t with it, normal without.

        Examples
        --------
        >>> HAC(4).describe(lost="1")
        "Newey-West, bartlett kernel, 4 lags; T/(T - 1), Student's t"
        """
        if len(bandwidths) == 1:
            rule = bandwidths[0].rule
        elif bandwidths and not isinstance(self.lags, int):
            values = [b.value for b in bandwidths]
            rule = f"{self.lags} (bandwidths {min(values):.2f} to {max(values):.2f})"
        else:
            rule = f"{self.lags} lags" if isinstance(self.lags, int) else self.lags
        factor = f"T/(T - {lost})" if self.small_sample else "no small-sample factor"
        if pvalues:
            factor += ", Student's t" if self.small_sample else ", normal"
        name = "Newey-West" if self.kernel == "bartlett" else "HAC"
        return f"{name}, {self.kernel} kernel, {rule}; {factor}"


def as_hac(lags: int | LagRule | HAC) -> HAC:
    """Return `lags` as an `HAC`: a number or a rule gets the Bartlett kernel."""
    return lags if isinstance(lags, HAC) else HAC(lags=lags)


def kernel_weights(n: int, bandwidth: float, kernel: Kernel = "bartlett") -> Array:
    """Return the weights of lags 0 to n - 1.

    Parameters
    ----------
    n : int
        Number of weights.
    bandwidth : float
        Bandwidth b; lag j gets ``kernel(j / b)``. 0 leaves only lag 0.
    kernel : {"bartlett", "parzen", "quadratic-spectral"}
        Kernel (Andrews 1991, equation 2.7).

    Returns
    -------
    ndarray of float64, shape (n,)
        Weights; the first is 1.

    Examples
    --------
    >>> kernel_weights(4, 3.0).round(3).tolist()
    [1.0, 0.667, 0.333, 0.0]
    """
    weights = np.zeros(n)
    weights[0] = 1.0
    if bandwidth <= 0.0 or n == 1:
        return weights
    x = np.arange(1, n) / bandwidth
    if kernel == "bartlett":
        weights[1:] = np.clip(1.0 - x, 0.0, None)
    elif kernel == "parzen":
        near = 1.0 - 6.0 * x**2 + 6.0 * x**3
        far = 2.0 * np.clip(1.0 - x, 0.0, None) ** 3
        weights[1:] = np.where(x <= 0.5, near, far)
    elif kernel == "quadratic-spectral":
        z = 6.0 * np.pi * x / 5.0
        weights[1:] = 3.0 / z**2 * (np.sin(z) / z - np.cos(z))
    else:
        raise ConfigError(f"kernel must be one of {get_args(Kernel)}; got {kernel!r}.")
    return weights


def long_run_covariance(
    scores: Array, bandwidth: Bandwidth | float, kernel: Kernel = "bartlett"
) -> Array:
    """Return the kernel estimate of the long-run covariance of scores, S = sum_j w_j Gamma_j.

    Parameters
    ----------
    scores : ndarray, shape (T, k)
        Scores with mean zero (they are not demeaned here).
    bandwidth : Bandwidth or float
        Bandwidth; see `kernel_weights`.
    kernel : {"bartlett", "parzen", "quadratic-spectral"}
        Kernel.

    Returns
    -------
    ndarray, shape (k, k)
        Long-run covariance; autocovariances are divided by T.

    Notes
    -----
    With prewhitening the scores are replaced by the residuals of a VAR(1) without intercept,
    A, and the result is recoloured by (I - A)^-1 (Andrews and Monahan 1992).

    Source: Newey and West (1987), Andrews (1991).

    Examples
    --------
    >>> long_run_covariance(np.array([[1.0], [-1.0], [2.0], [-2.0]]), 2.0).tolist()
    [[0.75]]
    """
    scores = scores[:, None] if scores.ndim == 1 else scores
    n = scores.shape[0]
    chosen = bandwidth if isinstance(bandwidth, Bandwidth) else Bandwidth(float(bandwidth), "")
    if not chosen.prewhitened:
        return _weighted_autocovariances(scores, chosen.value, kernel) / n
    innovations, transition = whiten(scores)
    middle = _weighted_autocovariances(innovations, chosen.value, kernel) / n
    colour = np.linalg.inv(np.eye(scores.shape[1]) - transition)
    return np.asarray(colour @ middle @ colour.T)


def mean_covariance(
    series: Array,
    lags: int | LagRule = 0,
    kernel: Kernel = "bartlett",
    *,
    small_sample: bool = True,
) -> tuple[Array, Bandwidth]:
    """Return the covariance of the mean of k series, and the bandwidth used.

    Parameters
    ----------
    series : ndarray, shape (T, k)
        Series, for example Fama-MacBeth coefficients.
    lags, kernel
        See `select_bandwidth`. An automatic rule looks at the sum of the series, each divided
        by its standard deviation.
    small_sample : bool
        Multiply by T / (T - 1), so that no lags give the classical squared error s^2 / T.

    Returns
    -------
    covariance : ndarray, shape (k, k)
    bandwidth : Bandwidth
    """
    series = series[:, None] if series.ndim == 1 else series
    n = series.shape[0]
    deviations = series - series.mean(axis=0)
    scale = deviations.std(axis=0)
    bandwidth = select_bandwidth(
        deviations, lags, kernel, weights=1.0 / np.where(scale > 0.0, scale, np.inf)
    )
    covariance = long_run_covariance(deviations, bandwidth, kernel) / n
    return covariance * (n / (n - 1) if small_sample else 1.0), bandwidth


def _weighted_autocovariances(scores: Array, bandwidth: float, kernel: Kernel) -> Array:
    """Return sum_j w_j (scores_t scores_{t-j}' + transposed), not divided by T."""
    n, k = scores.shape
    if kernel == "bartlett" and bandwidth == int(bandwidth) and bandwidth >= 1:
        # Sums over windows of `bandwidth` zero-padded scores: their outer products count the
        # pair (t, t - j) exactly bandwidth - j times.
        width = int(bandwidth)
        total = np.zeros((n + 2 * width - 1, k))
        np.cumsum(scores, axis=0, out=total[width : width + n])
        total[width + n :] = total[width + n - 1]
        windows = total[width:] - total[: n + width - 1]
        return np.asarray(windows.T @ windows / width)
    weights = kernel_weights(n, bandwidth, kernel)
    last = int(np.flatnonzero(weights)[-1])
    if last <= 32:
        result = scores.T @ scores
        for lag in range(1, last + 1):
            cross = scores[lag:].T @ scores[:-lag]
            result = result + weights[lag] * (cross + cross.T)
        return np.asarray(result)
    # Scores smoothed by the symmetric weights, through the frequency domain.
    size = next_fast_len(2 * n, real=True)
    circular = np.zeros(size)
    circular[:n] = weights
    circular[size - n + 1 :] = weights[:0:-1]
    smoothed = irfft(rfft(scores, size, axis=0) * rfft(circular)[:, None], size, axis=0)[:n]
    result = scores.T @ smoothed
    return np.asarray((result + result.T) / 2.0)
