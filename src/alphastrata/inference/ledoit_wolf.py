"""Whether two Sharpe ratios differ: Ledoit and Wolf (2008)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from alphastrata.core import Note, Result
from alphastrata.errors import ConfigError, EstimationError, InputDataError
from alphastrata.inference.hac import HAC, Bandwidth, long_run_covariance, select_bandwidth
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.samples import Returns, align
from alphastrata.inference.tails import two_sided

__all__ = ["SharpeDifference", "sharpe_difference"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class SharpeDifference(Result):
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
    title: str = "Difference of Sharpe ratios"
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """Both ratios and their difference."""
        values = [self.first, self.second, self.difference]
        return pd.Series(values, ["first", "second", "difference"], name="Sharpe")

    @property
    def std_errors(self) -> pd.Series:
        """Standard error of the difference."""
        return pd.Series({"first": np.nan, "second": np.nan, "difference": self.std_error})

    @property
    def tstats(self) -> pd.Series:
        """The difference over its error."""
        return self.params / self.std_errors

    @property
    def pvalues(self) -> pd.Series:
        """HAC p-value of the difference."""
        return pd.Series({"first": np.nan, "second": np.nan, "difference": self.pvalue})

    def table(self) -> pd.DataFrame:
        """Return one row per ratio and one for the difference."""
        table = parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)
        boot = pd.Series({"difference": self.bootstrap_pvalue})
        return table.assign(p_bootstrap=boot.reindex(table.index))

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [self.description]


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
    if draws and draws < 99:
        raise ConfigError(f"Give at least 99 draws, or 0 for none; got {draws}.")
    chosen = hac or HAC("andrews-prewhitened", "quadratic-spectral")
    sample = align(first, second).complete()
    if sample.y.shape[1] != 1 or sample.f.shape[1] != 1:
        raise InputDataError("Two series are compared; select one column of each.")
    x = np.column_stack([sample.y, sample.f])
    n = len(x)
    a, b = _sharpe(x)
    error, bandwidth = _hac_error(x, chosen)
    if not error > 1e-7 * (1.0 + abs(a)):  # the root of rounding errors
        raise EstimationError(
            "The difference of Sharpe ratios has no error: both series move as one. Compare two "
            "that differ."
        )
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
        description=f"T = {n}; {chosen.describe((bandwidth,), lost='4', pvalues=False)}; normal "
        f"p-value{_resampled(draws, block, seed)}. Ratios with divisor T.",
    )


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


def _resampled(draws: int, block: int, seed: int) -> str:
    if not draws:
        return ", no bootstrap"
    return f"; studentised bootstrap of {draws} resamples of blocks of {block}, seed {seed}"


def _hac_error(x: Array, hac: HAC) -> tuple[float, Bandwidth]:
    gradient, moments = _gradient_scores(x)
    n = len(x)
    bandwidth = select_bandwidth(moments, hac.lags, hac.kernel)
    psi = long_run_covariance(moments, bandwidth, hac.kernel)
    factor = n / (n - 4) if hac.small_sample else 1.0
    variance = max(float(gradient @ psi @ gradient), 0.0)  # rounding may leave it below
    return float(np.sqrt(variance * factor / n)), bandwidth


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
