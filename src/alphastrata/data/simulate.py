"""A simulated market with planted strata, betas, premia and events, priced by real factors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.bydate import rank, standardize
from alphastrata.core.checks import Violations
from alphastrata.core.factors import FactorReturns
from alphastrata.core.panel import Panel
from alphastrata.core.shown import Shown
from alphastrata.data.asof import visible_rows
from alphastrata.data.french import bundled_factors
from alphastrata.data.simulate_paths import (
    Lives,
    Prices,
    compose_returns,
    draw_lives,
    draw_noise,
    draw_prices,
)
from alphastrata.data.simulate_statements import (
    Filings,
    accounts,
    characteristics,
    draw_filings,
    grid_assets,
    ratios,
    statement_frame,
)
from alphastrata.data.simulate_strata import States, draw_states
from alphastrata.data.simulate_truth import BURN_IN, FACTOR_NAMES, Sample, Truth, truth_of
from alphastrata.errors import ConfigError

__all__ = ["Market", "SimulationOptions", "Truth", "simulate_market"]

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

PREMIA: Mapping[str, float] = MappingProxyType(
    {"liquidity": 0.003, "leverage": 0.0035, "operating_efficiency": -0.003}
)
"""Default premia per month and cross-sectional standard deviation."""

BETA_MEANS, BETA_SPREADS = (1.0, 0.4, 0.15, -0.05), (0.25, 0.35, 0.35, 0.15)
EXCHANGES = ("NYSE", "AMEX", "NASDAQ")
INDUSTRIES = (
    "NoDur", "Durbl", "Manuf", "Enrgy", "Chems", "BusEq", "Telcm", "Utils", "Shops", "Hlth",
    "Money", "Other",
)  # fmt: skip


@dataclass(frozen=True)
class SimulationOptions:
    """What kind of market to simulate.

    Attributes
    ----------
    statement_months
        Months between statements: 3 (each with the flows of its trailing year) or 12.
    filing_lag
        Shortest and longest delay, in days, between a period's end and its filing.
    restatement_rate
        Share of statements that are restated later.
    missing_rate
        Share of statements that lack current assets and liabilities; the same share lacks the
        cost of goods sold, and some lesser items. Returns miss a tenth of that.
    migration_rate, merger_rate, failure_rate
        Probability per year that an asset moves to another stratum, merges away, or fails with a
        loss (of everything in 15% of the failures).
    entry_share
        Share of assets that start to trade after the first month.
    volatility, tail
        Idiosyncratic standard deviation per month, and degrees of freedom of its Student t.
    nyse_share
        Share of assets listed on the NYSE.
    """

    statement_months: int = 3
    filing_lag: tuple[int, int] = (45, 120)
    restatement_rate: float = 0.03
    missing_rate: float = 0.03
    migration_rate: float = 0.03
    merger_rate: float = 0.02
    failure_rate: float = 0.015
    entry_share: float = 0.3
    volatility: float = 0.09
    tail: float = 5.0
    nyse_share: float = 0.4

    def __post_init__(self) -> None:
        found = Violations("SimulationOptions")
        found.require(self.statement_months in (3, 12), "statement_months is 3 or 12")
        low, high = self.filing_lag
        found.require(0 <= low <= high <= 300, "filing_lag is ascending and within 0..300 days")
        for name in (
            "restatement_rate", "missing_rate", "migration_rate", "merger_rate", "failure_rate",
            "entry_share", "nyse_share",
        ):  # fmt: skip
            share = getattr(self, name)
            found.require(0.0 <= share < 1.0, f"{name} lies in [0, 1)", first=repr(share))
        found.require(self.volatility > 0, "volatility is positive")
        found.require(self.tail > 2, "tail exceeds 2, so that the variance exists")
        found.raise_if_any(ConfigError)


@dataclass(frozen=True)
class Market(Shown):
    """A simulated market.

    Attributes
    ----------
    panel
        Monthly panel with all canonical columns, as known at each date.
    truth
        What was planted.
    factors
        The real factor returns that priced the assets, on the panel's dates.
    statements
        All publications: ``asset``, ``period_end``, ``known_at`` and the statement columns.
    """

    panel: Panel
    truth: Truth
    factors: FactorReturns
    statements: pd.DataFrame = field(repr=False)


def simulate_market(
    n_assets: int = 500,
    start: str | pd.Timestamp = "2000-01-31",
    periods: int = 120,
    *,
    n_strata: int = 6,
    premia: Mapping[str, float] | None = None,
    options: SimulationOptions | None = None,
    seed: int = 0,
) -> Market:
    r"""Return a monthly market in which strata, betas and premia are known.

    Parameters
    ----------
    n_assets
        Assets that ever trade.
    start, periods
        First month and number of months; they must lie within the bundled factors, 1949-01 to
        2017-03.
    n_strata
        Number of planted strata.
    premia
        Premium per month and cross-sectional standard deviation, for any of "liquidity" (current
        assets over current liabilities), "leverage" (total liabilities over total assets) and
        "operating_efficiency" (cost of goods sold over sales, so that a negative premium rewards
        efficient firms). Default: 0.003, 0.0035, -0.003.
    options
        Filing lags, events, tails and the like.
    seed
        The same seed gives the same bits.

    Returns
    -------
    Market
        Panel, truth, factors and statements.

    Raises
    ------
    ConfigError
        Sizes, dates or premia outside their ranges.

    Notes
    -----
    .. math::
        r_{it} = r_{ft} + \beta_i' f_t + \sum_j \lambda_j z_{ij,t-1} + e_{it}

    with real factors :math:`f` (market, size, value, momentum) and
    :math:`z_{ij,t-1}` built from what was known of asset i at the end of month t-1; the noise is
    Student t, symmetric. Failures are on top, see
    :func:`alphastrata.data.simulate_paths.compose_returns`. Betas are drawn independently of strata
    and characteristics. On the row of the month in which an asset leaves, only ``ret`` is filled:
    it cannot be bought then. On the row of its first month ``ret`` is missing.

    Examples
    --------
    >>> market = simulate_market(50, "2010-01-31", 24, seed=1)
    >>> market.panel.freq, len(market.panel.dates), market.truth.labels.nunique()
    ('M', 24, 6)
    """
    options = SimulationOptions() if options is None else options
    slopes = _check(n_assets, periods, n_strata, premia)
    factors = _factors(start, periods)
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(seed).spawn(7)]
    months = pd.date_range(end=factors.dates[-1], periods=BURN_IN + periods, freq="ME", unit="ns")
    month_day = months.to_numpy().astype("datetime64[D]").astype(np.int64)
    step = options.statement_months
    states = draw_states(
        streams[0],
        n_assets,
        months.size,
        n_strata=n_strata,
        step=step,
        anchor=-months[0].month % step,
        migration_rate=options.migration_rate,
    )
    lives = draw_lives(
        streams[1],
        n_assets,
        periods,
        entry_share=options.entry_share,
        merger_rate=options.merger_rate,
        failure_rate=options.failure_rate,
    )
    filings, period_day = _file(streams[2], states, lives, month_day, options)
    reported = ratios(states.scores, filings)
    trading = lives.trading(periods)
    z = _standardized(
        characteristics(reported, filings), filings, period_day, month_day[BURN_IN - 1 :], trading
    )
    alpha = np.tensordot(np.array(list(slopes.values())), z, axes=1)
    betas = _draw_betas(streams[3], n_assets)
    prices, ret = _price(streams[4], betas, factors, alpha, lives, states, options)
    names = pd.Index([f"S{i:0{len(str(n_assets))}d}" for i in range(1, n_assets + 1)], name="asset")
    columns = _account(streams[5], states, filings, reported, prices)
    statements = statement_frame(names, filings, period_day, columns)
    sample = Sample(names, months[BURN_IN:], month_day[BURN_IN:], trading, lives)
    panel = _panel(streams[6], sample, states, filings, period_day, columns, prices, ret, options)
    truth = truth_of(sample, states, filings, period_day, betas, slopes, z, alpha)
    return Market(panel, truth, factors, statements)


def _check(
    n_assets: int, periods: int, n_strata: int, premia: Mapping[str, float] | None
) -> dict[str, float]:
    found = Violations("simulate_market")
    found.require(n_assets >= 2, "n_assets is at least 2", first=repr(n_assets))
    found.require(periods >= 2, "periods is at least 2", first=repr(periods))
    found.require(1 <= n_strata <= 20, "n_strata lies in 1..20", first=repr(n_strata))
    given = dict(PREMIA) if premia is None else dict(premia)
    unknown = [name for name in given if name not in PREMIA]
    found.require(
        not unknown,
        "A premium belongs to a characteristic that is priced here",
        count=len(unknown),
        first=unknown[0] if unknown else "",
        remedy=f"Choose from {', '.join(PREMIA)}",
    )
    found.raise_if_any(ConfigError)
    return {name: float(given.get(name, 0.0)) for name in PREMIA}


def _factors(start: str | pd.Timestamp, periods: int) -> FactorReturns:
    bundled = bundled_factors().select(list(FACTOR_NAMES))
    first = pd.Timestamp(start) + pd.offsets.MonthEnd(0)
    dates = pd.date_range(first, periods=periods, freq="ME", unit="ns")
    if dates[0] < bundled.dates[0] or dates[-1] > bundled.dates[-1]:
        raise ConfigError(
            f"A simulated market lies within the bundled factors, {bundled.dates[0]:%Y-%m} to "
            f"{bundled.dates[-1]:%Y-%m}; got {dates[0]:%Y-%m} to {dates[-1]:%Y-%m}. "
            "Choose another start or fewer periods."
        )
    return bundled.between(dates[0], dates[-1])


def _file(
    rng: np.random.Generator,
    states: States,
    lives: Lives,
    month_day: Int64,
    options: SimulationOptions,
) -> tuple[Filings, Int64]:
    """Filings from a year before an asset's first month until it leaves, and their period ends."""
    month = states.period_months
    inside = month < month_day.size
    period_day = month_day[np.minimum(month, month_day.size - 1)]
    first = np.where(lives.entry < 0, 0, lives.entry + BURN_IN - 18)[:, None]
    exists = inside & (month >= first) & (month <= lives.last[:, None] + BURN_IN)
    filings = draw_filings(
        rng,
        period_day,
        exists,
        lag=options.filing_lag,
        restatement_rate=options.restatement_rate,
        missing_rate=options.missing_rate,
    )
    return filings, period_day


def _visible(filings: Filings, period_day: Int64, asset: Int64, day: Int64) -> Int64:
    period = period_day[filings.asset, filings.period]
    return visible_rows(asset, day, filings.asset, period, filings.known_day)


def _standardized(
    values: Float64, filings: Filings, period_day: Int64, day: Int64, trading: Bool
) -> Float64:
    """Ranks of the visible values among trading assets, mean 0 and sd 1: float64[3, n, d]."""
    date, asset = np.nonzero(trading.T)
    rows = _visible(filings, period_day, asset, day[date])
    offsets = np.searchsorted(date, np.arange(day.size + 1)).astype(np.int64)
    out = np.zeros((values.shape[0], *trading.shape))
    for j, value in enumerate(values):
        known = np.where(rows >= 0, value[np.maximum(rows, 0)], np.nan)
        score = standardize(rank(known, offsets), offsets)
        out[j, asset, date] = np.nan_to_num(score)
    return out


def _draw_betas(rng: np.random.Generator, n_assets: int) -> Float64:
    draws = rng.standard_normal((n_assets, len(FACTOR_NAMES)))
    return np.asarray(np.array(BETA_MEANS) + np.array(BETA_SPREADS) * draws)


def _price(
    rng: np.random.Generator,
    betas: Float64,
    factors: FactorReturns,
    alpha: Float64,
    lives: Lives,
    states: States,
    options: SimulationOptions,
) -> tuple[Prices, Float64]:
    """Prices over burn-in and sample, and the sample's total returns float64[n, periods]."""
    n, periods = betas.shape[0], len(factors.dates)
    noise = draw_noise(rng, n, BURN_IN + periods, volatility=options.volatility, tail=options.tail)
    assert factors.risk_free is not None
    systematic = factors.risk_free.to_numpy() + betas @ factors.frame.to_numpy().T
    ret = compose_returns(
        systematic, alpha[:, :-1], noise[:, BURN_IN:], lives, options.failure_rate
    )
    growth = 1.0 + np.concatenate([0.008 + noise[:, :BURN_IN], ret], axis=1)
    first = lives.entry + BURN_IN
    quarter = np.argmax(states.period_months >= first[:, None], axis=1)
    size = states.scores["size"][np.arange(n), quarter]
    return draw_prices(rng, growth, first, size), ret


def _account(
    rng: np.random.Generator,
    states: States,
    filings: Filings,
    reported: dict[str, Float64],
    prices: Prices,
) -> dict[str, Float64]:
    month = np.minimum(states.period_months, prices.price.shape[1] - 1)
    cap = np.take_along_axis(prices.market_cap, month, axis=1)
    shares = np.take_along_axis(prices.shares, month, axis=1)
    leverage = ratios(states.scores, _originals(month.shape))["leverage"].reshape(month.shape)
    total = grid_assets(states.scores["value"], leverage, np.maximum(cap, 1e3))
    at = (filings.asset, filings.period)
    payout = (prices.dividend_yield * cap)[at]
    return accounts(rng, filings, reported, total[at], shares[at], payout)


def _originals(shape: tuple[int, ...]) -> Filings:
    """One unrestated filing for each cell of the asset x period grid."""
    asset, period = np.indices(shape).reshape(2, -1)
    size = asset.size
    return Filings(
        asset,
        period,
        np.zeros(size, np.int64),
        np.zeros((size, 5)),
        np.zeros((size, 3), np.bool_),
    )


def _panel(
    rng: np.random.Generator,
    sample: Sample,
    states: States,
    filings: Filings,
    period_day: Int64,
    columns: dict[str, Float64],
    prices: Prices,
    ret: Float64,
    options: SimulationOptions,
) -> Panel:
    month, asset, trades = sample.cells()
    n, periods = ret.shape
    ret = np.where(rng.random(ret.shape) < 0.1 * options.missing_rate, np.nan, ret)
    entered = np.flatnonzero(sample.lives.entry >= 0)
    ret[entered, sample.lives.entry[entered]] = np.nan
    shares = prices.shares[:, BURN_IN:]
    habit = np.log(0.08) + 0.5 * rng.standard_normal((n, 1))
    traded = np.round(shares * np.exp(habit + 0.4 * rng.standard_normal((n, periods))))
    market = {
        "price": prices.price[:, BURN_IN:],
        "volume": traded,
        "shares": shares,
        "market_cap": prices.market_cap[:, BURN_IN:],
    }
    data: dict[str, object] = {
        "date": sample.dates.take(month),
        "asset": sample.names.take(asset),
        "ret": ret[asset, month],
    }
    for name, grid in market.items():
        data[name] = np.where(trades, grid[asset, month], np.nan)
    first = prices.market_cap[np.arange(n), sample.lives.entry + BURN_IN]
    for name, kind in _draw_categories(rng, first, states.labels[:, 0], options).items():
        data[name] = kind.take(asset)
    rows = np.where(trades, _visible(filings, period_day, asset, sample.day[month]), -1)
    seen, safe = rows >= 0, np.maximum(rows, 0)
    for name, column in columns.items():
        data[name] = np.where(seen, column[safe], np.nan)
    period = period_day[filings.asset, filings.period]
    data["period_end_age"] = np.where(seen, sample.day[month] - period[safe], np.nan)
    data["known_age"] = np.where(seen, sample.day[month] - filings.known_day[safe], np.nan)
    return Panel(pd.DataFrame(data), freq="M")


def _draw_categories(
    rng: np.random.Generator, market_cap: Float64, label: Int64, options: SimulationOptions
) -> dict[str, pd.Categorical]:
    """Exchange (the large tend to the NYSE) and industry (each stratum has favourites)."""
    n = market_cap.size
    tendency = np.log(market_cap) / 1.3 + rng.standard_normal(n)
    order = np.argsort(np.argsort(-tendency)) / n
    nasdaq = rng.random(n) < 0.8
    exchange = np.where(order < options.nyse_share, 0, np.where(nasdaq, 2, 1))
    favourite = (2 * label + rng.integers(0, 3, n)) % len(INDUSTRIES)
    anywhere = rng.integers(0, len(INDUSTRIES), n)
    industry = np.where(rng.random(n) < 0.5, favourite, anywhere)
    return {
        "exchange": pd.Categorical(np.array(EXCHANGES)[exchange], categories=EXCHANGES),
        "industry": pd.Categorical(np.array(INDUSTRIES)[industry], categories=INDUSTRIES),
    }
