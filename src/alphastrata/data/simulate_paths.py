"""Lives, returns and prices of a simulated market, month by month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

SURVIVED, MERGED, FAILED = 0, 1, 2
TOTAL_LOSS_SHARE, MEAN_PARTIAL_LOSS = 0.15, 0.40
"""Of the failures, how many lose everything, and what the others lose on average."""
MEAN_LOSS = TOTAL_LOSS_SHARE + (1.0 - TOTAL_LOSS_SHARE) * MEAN_PARTIAL_LOSS


@dataclass(frozen=True)
class Lives:
    """When each asset trades.

    Attributes
    ----------
    entry
        int64[n], first month with a price; -1 for those that traded before the start.
    last
        int64[n], last month with a return (the delisting month of those that leave).
    fate
        int64[n]: 0 survived, 1 merged, 2 failed in month ``last``.
    loss
        float64[n], the loss on top of the month's return of those that failed, in [0, 1].
    """

    entry: Int64
    last: Int64
    fate: Int64
    loss: Float64

    def trading(self, periods: int) -> Bool:
        """Return bool[n, periods + 1]: has a price at month -1, 0, ..., periods - 1."""
        month = np.arange(-1, periods)[None, :]
        gone = (self.fate != SURVIVED)[:, None] & (month >= self.last[:, None])
        return np.asarray((month >= self.entry[:, None]) & ~gone)


def draw_lives(
    rng: np.random.Generator,
    n_assets: int,
    periods: int,
    *,
    entry_share: float,
    merger_rate: float,
    failure_rate: float,
) -> Lives:
    """Return entries and exits; the rates are probabilities per year while an asset trades."""
    late = rng.random(n_assets) < entry_share
    entry = np.where(late, rng.integers(0, max(periods - 1, 1), n_assets), -1)
    hazard = (merger_rate + failure_rate) / 12.0
    wait = rng.geometric(hazard, n_assets) if hazard > 0 else np.full(n_assets, periods + 1)
    leave = entry + wait
    leaves = leave < periods
    failed = rng.random(n_assets) * (merger_rate + failure_rate) < failure_rate
    fate = np.where(leaves, np.where(failed, FAILED, MERGED), SURVIVED)
    partial = rng.beta(2.0, 2.0 * (1.0 - MEAN_PARTIAL_LOSS) / MEAN_PARTIAL_LOSS, n_assets)
    loss = np.where(rng.random(n_assets) < TOTAL_LOSS_SHARE, 1.0, partial)
    return Lives(
        entry.astype(np.int64),
        np.where(leaves, leave, periods - 1).astype(np.int64),
        fate.astype(np.int64),
        np.where(fate == FAILED, loss, 0.0),
    )


def draw_noise(
    rng: np.random.Generator, n_assets: int, n_months: int, *, volatility: float, tail: float
) -> Float64:
    """Return idiosyncratic returns, float64[n, m]: Student t, symmetric, cut at +-0.9."""
    spread = volatility * np.exp(0.3 * rng.standard_normal((n_assets, 1)) - 0.09)
    draws = rng.standard_t(tail, (n_assets, n_months)) * np.sqrt((tail - 2.0) / tail)
    return np.asarray(np.clip(spread * draws, -0.9, 0.9))


def compose_returns(
    systematic: Float64, alpha: Float64, noise: Float64, lives: Lives, failure_rate: float
) -> Float64:
    """Return total returns, float64[n, periods].

    Parameters
    ----------
    systematic
        float64[n, periods], risk-free rate plus betas times factors.
    alpha
        float64[n, periods], what the characteristics known a month earlier promise.
    noise
        float64[n, periods].
    lives, failure_rate
        Who fails when, and the probability per year.

    Notes
    -----
    With failure probability h and mean loss m per month, 1 + r = (1 + base) (1 - loss) / (1 - hm):
    those that survive are paid for the risk, so that the expected return of an asset is its base
    whether or not it may fail, and ``expected_alpha`` stays exact.
    """
    growth = np.maximum(1.0 + systematic + alpha + noise, 0.01)
    growth /= 1.0 - failure_rate / 12.0 * MEAN_LOSS
    failed = np.flatnonzero(lives.fate == FAILED)
    growth[failed, lives.last[failed]] *= 1.0 - lives.loss[failed]
    return np.asarray(growth - 1.0)


@dataclass(frozen=True)
class Prices:
    """float64[n, m] each, over burn-in and sample: market cap, shares, price, and yields[n, 1]."""

    market_cap: Float64
    shares: Float64
    price: Float64
    dividend_yield: Float64


def draw_prices(rng: np.random.Generator, growth: Float64, first: Int64, size: Float64) -> Prices:
    """Return prices that the total returns imply.

    Parameters
    ----------
    rng
        Source of randomness.
    growth
        float64[n, m], 1 + total return.
    first
        int64[n], the month in which an asset starts to trade.
    size
        float64[n], score of the state that drives size at that month.

    Notes
    -----
    A price falls by the dividend, and by half in a two-for-one split, which comes whenever a price
    has doubled twice. Shares grow slowly; market cap is price times shares.
    """
    n, m = growth.shape
    dividend_yield = np.where(rng.random((n, 1)) < 0.6, rng.uniform(0.005, 0.04, (n, 1)), 0.0)
    path = np.cumsum(np.log(np.maximum(growth, 1e-12)) - np.log1p(dividend_yield / 12.0), axis=1)
    path -= np.take_along_axis(path, first[:, None], axis=1)
    start = np.log(rng.uniform(8.0, 60.0, (n, 1)))
    high = np.maximum.accumulate(np.where(np.arange(m) >= first[:, None], path, -np.inf), axis=1)
    splits = np.floor(np.maximum(high, 0.0) / np.log(4.0))
    cap = 20.0 + 0.7 * size[:, None] + 0.8 * rng.standard_normal((n, 1))
    issue = rng.normal(0.001, 0.002, (n, 1)) * (np.arange(m) - first[:, None])
    shares = np.round(np.exp(cap - start + issue) * 2.0**splits / 1e3) * 1e3 + 1e3
    price = np.exp(start + path) * 2.0**-splits
    return Prices(price * shares, shares, price, dividend_yield)
