"""How many lags: fixed rules, and the plug-in bandwidths of Newey and West and of Andrews."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from alphastrata.errors import ConfigError, EstimationError

__all__ = ["Bandwidth", "Kernel", "LagRule", "fixed_lags", "select_bandwidth", "whiten"]

Array = NDArray[np.float64]
Kernel = Literal["bartlett", "parzen", "quadratic-spectral"]
LagRule = Literal[
    "newey-west",
    "newey-west-prewhitened",
    "andrews",
    "andrews-prewhitened",
    "rule-of-thumb",
    "stock-watson",
]

# Newey and West (1994, table I B) and Andrews (1991, equation 6.2): constant and exponent q of
# the plug-in bandwidth; rate of the pilot lags (Newey and West 1994, table II C).
_PLUG_IN: dict[str, tuple[float, int, float]] = {
    "bartlett": (1.1447, 1, 2 / 9),
    "parzen": (2.6614, 2, 4 / 25),
    "quadratic-spectral": (1.3221, 2, 2 / 25),
}


@dataclass(frozen=True)
class Bandwidth:
    """A resolved bandwidth.

    Attributes
    ----------
    value : float
        Bandwidth b: the weight of lag j is ``kernel(j / b)``. For Bartlett and Parzen with whole
        lags this is ``lags + 1``. 0 gives lag 0 alone.
    rule : str
        How it was chosen, in words that fit under a table.
    prewhitened : bool
        Whether scores are to be whitened by a VAR(1) first.
    """

    value: float
    rule: str
    prewhitened: bool = False

    @property
    def lags(self) -> int:
        """Largest lag with a positive Bartlett weight."""
        return max(int(np.ceil(self.value)) - 1, 0)


def fixed_lags(n_periods: int, rule: Literal["rule-of-thumb", "stock-watson"]) -> int:
    """Return the number of lags that depends on the sample size alone.

    Parameters
    ----------
    n_periods : int
        Sample size T.
    rule : {"rule-of-thumb", "stock-watson"}
        ``floor(4 (T/100)^(2/9))`` (after Newey and West 1994), or ``floor(0.75 T^(1/3))``
        (Stock and Watson 2007, equation 15.17, rounded down).

    Returns
    -------
    int
        Number of lags.

    Examples
    --------
    >>> fixed_lags(600, "rule-of-thumb"), fixed_lags(600, "stock-watson")
    (5, 6)
    """
    if rule == "rule-of-thumb":
        return int(np.floor(4 * (n_periods / 100) ** (2 / 9)))
    return int(np.floor(0.75 * n_periods ** (1 / 3)))


def select_bandwidth(
    scores: Array,
    lags: int | LagRule,
    kernel: Kernel = "bartlett",
    *,
    weights: Array | None = None,
) -> Bandwidth:
    """Return the bandwidth that a number of lags or a named rule asks for.

    Parameters
    ----------
    scores : ndarray, shape (T, k)
        Scores x_t e_t (or one demeaned series).
    lags : int or rule
        A whole number of lags, or "newey-west" and "newey-west-prewhitened" (Newey and West
        1994), "andrews" and "andrews-prewhitened" (1991, AR(1) approximation), "rule-of-thumb"
        ``floor(4(T/100)^(2/9))``, "stock-watson" ``floor(0.75 T^(1/3))``.
    kernel : {"bartlett", "parzen", "quadratic-spectral"}
        Kernel that the bandwidth is for.
    weights : ndarray, shape (k,), optional
        Weights of the scores in the automatic rules; by default 1 each. R's ``sandwich`` gives
        the intercept 0, and so do the regressions of this package.

    Returns
    -------
    Bandwidth
        Value, rule and whether to prewhiten.

    Raises
    ------
    ConfigError
        If the rule is unknown or the number of lags is negative or not below T.
    EstimationError
        If a plug-in rule has no finite answer (constant scores).

    Notes
    -----
    For the quadratic-spectral kernel, which has no last lag, a whole number of lags is the
    bandwidth itself, as in linearmodels.
    """
    scores = scores[:, None] if scores.ndim == 1 else scores
    n, k = scores.shape
    if isinstance(lags, (int, np.integer)) and not isinstance(lags, bool):
        if not 0 <= lags < n:
            raise ConfigError(
                f"The number of lags must be at least 0 and below the {n} periods; got {lags}. "
                "Use fewer lags or a longer sample."
            )
        return Bandwidth(_of_lags(int(lags), kernel), f"{int(lags)} lags")
    if lags == "rule-of-thumb" or lags == "stock-watson":
        fixed = min(fixed_lags(n, lags), n - 1)
        formula = "floor(4(T/100)^(2/9))" if lags == "rule-of-thumb" else "floor(0.75 T^(1/3))"
        return Bandwidth(_of_lags(fixed, kernel), f"{fixed} lags, {formula}")
    chosen = np.ones(k) if weights is None else np.asarray(weights, dtype=np.float64)
    whitened = str(lags).endswith("-prewhitened")
    if lags == "andrews" or lags == "andrews-prewhitened":
        value = _andrews(whiten(scores)[0] if whitened else scores, chosen, kernel)
        words = f"bandwidth {value:.3f}, Andrews (1991) AR(1) plug-in"
        return Bandwidth(value, words + (", prewhitened" if whitened else ""), whitened)
    if lags == "newey-west" or lags == "newey-west-prewhitened":
        value = _newey_west(scores, chosen, kernel, whitened)
        if kernel == "bartlett":
            value = float(min(int(value), n - 1) + 1)
            words = f"{int(value) - 1} lags, Newey and West (1994)"
        else:
            words = f"bandwidth {value:.3f}, Newey and West (1994)"
        return Bandwidth(value, words + (", prewhitened" if whitened else ""), whitened)
    raise ConfigError(f"lags must be a whole number or one of {get_args(LagRule)}; got {lags!r}.")


def whiten(scores: Array) -> tuple[Array, Array]:
    """Return the residuals, shape (T - 1, k), and the matrix of a VAR(1) without intercept."""
    past, present = scores[:-1], scores[1:]
    solution = np.linalg.lstsq(past, present, rcond=None)[0]
    return present - past @ solution, np.ascontiguousarray(solution.T)


def _of_lags(lags: int, kernel: Kernel) -> float:
    if kernel == "quadratic-spectral":
        return float(lags)
    return float(lags + 1)


def _newey_west(scores: Array, weights: Array, kernel: Kernel, whitened: bool) -> float:
    constant, q, rate = _PLUG_IN[kernel]
    n = scores.shape[0]
    pilot = int(np.floor((3 if whitened else 4) * (n / 100) ** rate))
    series = (whiten(scores)[0] if whitened else scores) @ weights
    pilot = min(pilot, series.shape[0] - 1)
    sigma = np.array([series[j:] @ series[: series.shape[0] - j] for j in range(pilot + 1)])
    sigma /= series.shape[0]
    lag = np.arange(1, pilot + 1)
    s0 = sigma[0] + 2.0 * sigma[1:].sum()
    sq = 2.0 * (lag**q * sigma[1:]).sum()
    exponent = 1.0 / (2 * q + 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = constant * ((sq / s0) ** 2) ** exponent * n**exponent
    return _finite(value)


def _andrews(scores: Array, weights: Array, kernel: Kernel) -> float:
    constant, q, _ = _PLUG_IN[kernel]
    n = scores.shape[0]
    past = scores[:-1] - scores[:-1].mean(axis=0)
    present = scores[1:] - scores[1:].mean(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = (past * present).sum(axis=0) / (past**2).sum(axis=0)
        sigma4 = ((present - rho * past) ** 2).mean(axis=0) ** 2
        denominator = (weights * sigma4 / (1 - rho) ** 4).sum()
        if q == 1:
            numerator = 4 * rho**2 * sigma4 / ((1 - rho) ** 6 * (1 + rho) ** 2)
        else:
            numerator = 4 * rho**2 * sigma4 / (1 - rho) ** 8
        alpha = (weights * numerator).sum() / denominator
        value = constant * (alpha * n) ** (1.0 / (2 * q + 1))
    return _finite(value)


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise EstimationError(
            "The automatic bandwidth is not finite: the scores do not vary, or their long-run "
            "variance is zero. Give a number of lags."
        )
    return float(value)
