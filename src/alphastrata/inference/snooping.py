"""The best of many strategies: reality check, superior predictive ability, Romano-Wolf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from arch.bootstrap import SPA, StationaryBootstrap
from numpy.typing import NDArray

from alphastrata.core import Note, Result, Statistic
from alphastrata.errors import ConfigError, EstimationError, InputDataError
from alphastrata.inference.grs import require_unspanned
from alphastrata.inference.layout import parameter_table
from alphastrata.inference.least_squares import fit_complete
from alphastrata.inference.samples import Returns, align, describe_dates
from alphastrata.inference.tails import two_sided as two_sided_pvalues

__all__ = ["RealityCheck", "RomanoWolfResult", "reality_check", "romano_wolf"]

Array = NDArray[np.float64]


@dataclass(frozen=True, repr=False)
class RealityCheck(Result):
    """Test that no strategy beats a benchmark.

    Attributes
    ----------
    best : str
        Strategy with the highest mean.
    means : Series
        Mean return over the benchmark, by strategy.
    white : float
        p-value of White's reality check (Hansen's upper bound).
    hansen : float
        Consistent p-value of Hansen's SPA test.
    lower : float
        Hansen's lower bound.
    superior : tuple of str
        Strategies whose one-sided `romano_wolf` p-value is at most `size`.
    """

    best: str
    means: pd.Series
    white: float
    hansen: float
    lower: float
    superior: tuple[str, ...]
    size: float
    errors: pd.Series
    description: str
    title: str
    notes: tuple[Note, ...] = ()

    @property
    def params(self) -> pd.Series:
        """Mean return over the benchmark."""
        return self.means

    @property
    def std_errors(self) -> pd.Series:
        """Standard errors of single means, no lags."""
        return self.errors

    @property
    def tstats(self) -> pd.Series:
        """Means over their errors."""
        return self.means / self.errors

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided normal p-values of single means: they ignore that the best was chosen."""
        return pd.Series(two_sided_pvalues(self.tstats), self.means.index)

    def table(self) -> pd.DataFrame:
        """Return one row per strategy, best first, and whether it is superior."""
        table = parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)
        superior = [name in self.superior for name in table.index]
        return table.assign(superior=superior).sort_values("estimate", ascending=False)

    def statistics(self) -> Sequence[Statistic]:
        """Return White's and Hansen's tests."""
        null = "no strategy beats the benchmark"
        best = float(self.tstats[self.best])
        return (
            Statistic("reality check, best t", best, self.white, null, "bootstrap"),
            Statistic("SPA, best t", best, self.hansen, null, "bootstrap"),
        )

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return [self.description]

    def __str__(self) -> str:
        """Return it as a paragraph."""
        return (
            f"Best of {len(self.means)}: {self.best} ({self.means[self.best]:.5f} per period). "
            f"Reality check p = {self.white:.4f}, SPA p = {self.hansen:.4f} "
            f"(lower {self.lower:.4f}). Superior at {self.size:.0%}: "
            f"{', '.join(self.superior) or 'none'}. {self.description}"
        )


def reality_check(
    strategies: Returns,
    benchmark: Returns | None = None,
    *,
    block: int = 10,
    draws: int = 1000,
    size: float = 0.05,
    seed: int = 0,
) -> RealityCheck:
    """Return whether the best of many strategies beats a benchmark, given that it was chosen.

    Parameters
    ----------
    strategies : FactorReturns or DataFrame
        Excess or zero-cost returns of **every** strategy tried; dates on which one is missing
        are left out.
    benchmark : FactorReturns, DataFrame or Series, optional
        One return series; zero by default.
    block : int
        Average block length of the stationary bootstrap, in periods.
    draws, seed : int
        Resamples and seed.
    size : float
        Level for the set of superior strategies.

    Returns
    -------
    RealityCheck

    Notes
    -----
    Through `arch`, studentised. White's test loses power when poor strategies are among those
    tried; Hansen's recentres them away.

    Source: White (2000), Hansen (2005), Politis and Romano (1994).
    """
    sample = align(strategies, strategies if benchmark is None else benchmark).complete()
    returns = sample.returns
    if benchmark is not None and sample.f.shape[1] != 1:
        raise InputDataError(
            f"The benchmark is one series; got {sample.f.shape[1]}. Select one of them."
        )
    base = np.zeros(len(returns)) if benchmark is None else sample.f[:, 0]
    _check_bootstrap(block, draws, len(returns))
    losses = -returns.to_numpy()
    spa = SPA(-base, losses, block_size=block, reps=draws, seed=seed)
    spa.compute()
    pvalues = spa.pvalues
    # Step-wise p-values of our own: arch's StepM fails where every strategy is superior.
    gains = returns.sub(base, axis=0)
    steps = romano_wolf(gains, two_sided=False, block=block, draws=draws, seed=seed)
    means = gains.mean().rename_axis("strategy")
    return RealityCheck(
        best=str(means.idxmax()),
        means=means,
        white=float(pvalues["upper"]),
        hansen=float(pvalues["consistent"]),
        lower=float(pvalues["lower"]),
        superior=tuple(map(str, steps.adjusted.index[steps.adjusted <= size])),
        size=size,
        errors=(gains.std() / np.sqrt(len(gains))).rename_axis("strategy"),
        title=f"Best of {returns.shape[1]} strategies "
        f"({describe_dates(returns.index, sample.freq)})",
        description=f"Stationary bootstrap, average block {block}, {draws} draws, seed {seed}.",
        notes=sample.notes,
    )


@dataclass(frozen=True, repr=False)
class RomanoWolfResult(Result):
    """Alphas with p-values that account for all of them being tested.

    Attributes
    ----------
    params, std_errors, tstats : Series
        Alphas (or means), their standard errors and t-statistics.
    pvalues : Series
        Bootstrap p-values of single tests.
    adjusted : Series
        Romano-Wolf step-down p-values: family-wise error under any dependence.
    """

    params: pd.Series
    std_errors: pd.Series
    tstats: pd.Series
    pvalues: pd.Series
    adjusted: pd.Series
    lines: tuple[str, ...]
    title: str
    notes: tuple[Note, ...] = ()

    def table(self) -> pd.DataFrame:
        """Return one row per asset: alpha, error, t, single and adjusted p."""
        table = parameter_table(self.params, self.std_errors, self.tstats, self.pvalues)
        return table.assign(p_adjusted=self.adjusted)

    def conventions(self) -> list[str]:
        """Return what a reader needs to compute the same."""
        return list(self.lines)


def romano_wolf(
    returns: Returns,
    factors: Returns | None = None,
    *,
    two_sided: bool = True,
    block: int = 10,
    draws: int = 1000,
    seed: int = 0,
) -> RomanoWolfResult:
    """Return alphas of many assets with step-down adjusted p-values.

    Parameters
    ----------
    returns : FactorReturns or DataFrame
        All assets, factors or strategies tested; dates on which one is missing are left out.
    factors : FactorReturns, DataFrame or Series, optional
        Regressors; without them mean returns are tested.
    two_sided : bool
        Whether alphas of both signs count.
    block, draws, seed : int
        Stationary bootstrap of dates (returns and factors together).

    Returns
    -------
    RomanoWolfResult

    Notes
    -----
    Each resample gives t* = (alpha* - alpha) / se*, se by White (HC0). The largest hypotheses are
    compared with the maximum of |t*| over those not yet passed; p = (1 + #{max >= t}) / (1 + B),
    made monotone. Source: Romano and Wolf (2005; 2016, equations 3.6 to 3.9).
    """
    sample = align(returns, returns if factors is None else factors).complete()
    n = len(sample.returns)
    _check_bootstrap(block, draws, n)
    x = np.ones((n, 1)) if factors is None else sample.x
    y = sample.y
    if factors is not None:
        fit = fit_complete(x, y, covariance="nonrobust")
        require_unspanned(fit.residuals, y, list(sample.returns.columns))
    alphas, errors = _alphas(x, y)
    observed = alphas / errors
    bootstrap = StationaryBootstrap(block, np.arange(n), seed=seed)
    resampled = np.empty((draws, y.shape[1]))
    for b, (position, _) in enumerate(bootstrap.bootstrap(draws)):
        rows = position[0]
        try:
            a, e = _alphas(x[rows], y[rows])
        except EstimationError as error:
            raise EstimationError(
                f"A resample of the {n} dates cannot tell the {x.shape[1]} coefficients apart. "
                "Use fewer factors or a longer sample."
            ) from error
        resampled[b] = (a - alphas) / e
    if two_sided:
        observed, resampled = np.abs(observed), np.abs(resampled)
    assets = pd.Index(sample.returns.columns, name="asset")
    single = (1 + (resampled >= observed).sum(axis=0)) / (draws + 1)
    what = "means" if factors is None else f"alphas on {', '.join(sample.factors.columns)}"
    return RomanoWolfResult(
        params=pd.Series(alphas, assets, name="alpha"),
        std_errors=pd.Series(errors, assets, name="std_error"),
        tstats=pd.Series(alphas / errors, assets, name="t"),
        pvalues=pd.Series(single, assets, name="p"),
        adjusted=pd.Series(step_down(observed, resampled), assets, name="p adjusted"),
        lines=(
            f"Stationary bootstrap of dates, average block {block}, {draws} draws, seed {seed}; "
            f"{'two' if two_sided else 'one'}-sided; HC0 errors.",
        ),
        title=f"Romano-Wolf tests of {len(assets)} {what} "
        f"({describe_dates(sample.returns.index, sample.freq)})",
        notes=sample.notes,
    )


def step_down(observed: Array, resampled: Array) -> Array:
    """Return Romano-Wolf adjusted p-values.

    Parameters
    ----------
    observed : ndarray, shape (S,)
        Statistics, large against the null.
    resampled : ndarray, shape (B, S)
        Statistics under the null, all hypotheses resampled together.
    """
    order = np.argsort(-observed, kind="stable")
    # Column j: the maximum over hypotheses j and all smaller ones.
    maxima = np.maximum.accumulate(resampled[:, order[::-1]], axis=1)[:, ::-1]
    p = (1 + (maxima >= observed[order]).sum(axis=0)) / (len(resampled) + 1)
    out = np.empty(len(observed))
    out[order] = np.maximum.accumulate(p)
    return out


def _alphas(x: Array, y: Array) -> tuple[Array, Array]:
    fit = fit_complete(x, y, covariance="HC0")
    return fit.params[0], fit.std_errors[0]


def _check_bootstrap(block: int, draws: int, n: int) -> None:
    if not 1 <= block < n:
        raise ConfigError(f"block must be from 1 to below the {n} periods; got {block}.")
    if draws < 99:
        raise ConfigError(f"Give at least 99 draws; got {draws}.")
