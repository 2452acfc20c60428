"""The factor stage: strata -> long-short factors and portfolios, on monthly and daily dates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd

from alphastrata import portfolio
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.errors import ConfigError
from alphastrata.portfolio.weights import row_weights
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ClusterConfig, SortConfig
from alphastrata.study.stages.weighing import (
    Weights,
    cohorts_of,
    group_of,
    hard_weights_of,
    method_of,
    ranking_of,
    screen_of,
    weights_of,
)

DRIFT = "weight"


def sort(
    config: SortConfig, panel: Panel, clusterings: Mapping[str, Strata] = MappingProxyType({})
) -> Artefacts:
    """Return the strata of one sort.

    Parameters
    ----------
    config
        The sort.
    panel
        Holds its columns.
    clusterings
        Strata by name, where the sort is inside clusters.
    """
    where = screen_of(config)
    if len(config.columns) > 1:
        strata = portfolio.joint_sort(
            panel,
            config.columns,
            n=config.quantiles,
            kind=config.kind,
            breakpoints=config.breakpoints,
            min_assets=config.min_assets,
            where=where,
            rebalance=config.rebalance,
        )
    else:
        strata = portfolio.quantile_sort(
            panel,
            config.columns[0],
            n=config.quantiles[0],
            breakpoints=rule_of(config),
            min_assets=config.min_assets,
            where=where,
            within=None if config.within is None else group_of(config.within, clusterings),
            rebalance=config.rebalance,
        )
    return {"strata": strata}


def rule_of(config: SortConfig) -> str:
    """Return the breakpoints of a sort by one characteristic."""
    return config.breakpoints if isinstance(config.breakpoints, str) else config.breakpoints[0]


def spread(
    config: ClusterConfig | SortConfig, strata: Strata, panel: Panel, market: Panel
) -> FactorReturns:
    """Return the long-short factor of one set of strata on the market's dates.

    Parameters
    ----------
    config
        The clustering or the sort.
    strata
        Its labels.
    panel
        Monthly panel, which holds the characteristic that ranks clusters.
    market
        Panel whose returns are earned: the monthly one, or the daily.
    """
    hold = cohorts_of(config)
    if isinstance(config, SortConfig) and config.method != "quantile":
        return _characteristic(config, panel, market)
    if config.weighting == "soft" and isinstance(config, ClusterConfig):
        return _soft(config, strata, market)
    weighting = weights_of(config)
    if market.freq == "D":
        market, weighting = daily_weights(panel, market, weighting)
    long: Literal["high", "low"] = "high"
    if isinstance(config, SortConfig):
        long = config.long
        if len(config.columns) > 1:
            return portfolio.joint_factor(
                strata,
                market,
                last=last_size(config),
                long=long,
                weighting=weighting,
                hold=hold,
                missing=config.missing,
                name=config.name,
            )
    else:
        # Which clusters are long and short is settled once, by what the monthly panel knew.
        strata, long = sides(config, strata, panel), "low"
    factor = portfolio.long_short(
        strata,
        market,
        long=long,
        weighting=weighting,
        name=config.name,
        hold=hold,
        missing=config.missing,
    )
    return factor if isinstance(config, SortConfig) else described(factor, config)


def last_size(config: SortConfig) -> int:
    """Return how many strata the last characteristic of a sort has."""
    n = config.quantiles[-1]
    return n if isinstance(n, int) else len(n) + 1


def _characteristic(config: SortConfig, panel: Panel, market: Panel) -> FactorReturns:
    """Return the factor that one characteristic makes: size-neutral, by rank or by z-score."""
    daily = market.freq == "D"
    (column,) = config.columns
    if daily:
        mask = None if config.screen is None else config.screen.mask
        for name in dict.fromkeys((column, *config.needs)):
            if name in (column, mask) or name not in market.columns:
                market = carried(panel, market, name)
    return portfolio.factor(
        market,
        column,
        method=method_of(config),
        long=config.long,
        weighting=weights_of(config) if config.method == "size_neutral" else None,
        breakpoints=rule_of(config),
        rebalance=config.rebalance or ("M" if daily else None),
        name=config.name,
        where=screen_of(config),
        hold=cohorts_of(config),
        missing=config.missing,
    )


def _soft(config: ClusterConfig, strata: Strata, market: Panel) -> FactorReturns:
    """Return the factor of clusters that every asset is a member of to some degree."""
    if strata.probabilities is None:
        raise ConfigError(
            f'{config.name} has weighting = "soft", and {strata.source} gives no membership '
            "probabilities; take another weighting or clusterer."
        )
    return portfolio.soft_long_short(
        strata,
        market,
        rank_by=ranking_of(config),
        weighting=portfolio.Soft(config.weigh_by or "equal"),
        hold=cohorts_of(config),
        missing=config.missing,
        name=config.name,
    )


def daily_weights(panel: Panel, market: Panel, weighting: Weights) -> tuple[Panel, Weights]:
    """Return the daily market and weighting: weights set at month ends, which drift in between.

    Value weights drift by themselves.
    """
    if weighting == "value":
        return market, weighting
    if weighting == "equal":
        return drifting(market), DRIFT
    month = panel.assign({DRIFT: row_weights(panel, weighting)})
    return drifting(market, carried(month, market, DRIFT).wide(DRIFT).to_numpy()), DRIFT


def sides(config: ClusterConfig, strata: Strata, panel: Panel) -> Strata:
    """Return the clusters' long side as stratum 1 and their short side as stratum 2."""
    found = portfolio.legs(
        strata, panel, rank_by=ranking_of(config), weighting=hard_weights_of(config)
    )
    return Strata(
        found.labels,
        ordered=True,
        names={1: "long", 2: "short"},
        source=found.source,
        n=2,
        notes=found.notes,
    )


def described(factor: FactorReturns, config: ClusterConfig) -> FactorReturns:
    """Return the factor under a source that says which clusters are long and short."""
    return FactorReturns(
        factor.frame,
        kind=factor.kind,
        freq=factor.freq,
        turnover=factor.turnover,
        counts=factor.counts,
        source=(
            f"clusters {config.name}, the highest by {config.rank_by} minus the lowest, "
            f"{config.weighting}-weighted"
        ),
        notes=factor.notes,
    )


def sessions_of(panel: Panel, market: Panel) -> np.ndarray:
    """Return, for each session, the monthly date whose knowledge is in force at its close.

    A month end that is no session belongs to the last session before it, where a portfolio formed
    at that month end is bought. Shape (n_sessions,); -1 before the first.
    """
    bought = market.dates.searchsorted(panel.dates, side="right") - 1
    return np.searchsorted(bought, np.arange(len(market.dates)), side="right") - 1


def carried(panel: Panel, market: Panel, column: str) -> Panel:
    """Return the daily market with a monthly characteristic as last known on each session."""
    last = sessions_of(panel, market).astype(np.int64)
    assets = np.append(panel.assets.get_indexer(market.assets), -1).astype(np.int64)
    rows = panel.lookup(last[market.date_codes], assets[market.asset_codes])
    values = np.where(rows >= 0, panel.values(column)[rows], np.nan)
    return market.assign({column: values})


def drifting(market: Panel, base: np.ndarray | None = None) -> Panel:
    """Return the daily market with weights that are set at month ends and drift in between.

    The compounded days of a month are then the month's return of weights set once, not of
    weights that are set again every day.

    Parameters
    ----------
    market
        The daily market.
    base
        Weights that are set at the last session of a month, shape (n_sessions, n_assets); equal
        ones when None.
    """
    month = market.dates.to_period("M")
    last = np.append(np.asarray(month[1:] != month[:-1]), True)
    growth = market.wide("ret").fillna(0.0).to_numpy() + 1.0
    base = np.ones_like(growth) if base is None else base
    weight = base.copy()
    for day in range(1, len(growth)):
        before = base[day - 1] if last[day - 1] else weight[day - 1]
        weight[day] = before * growth[day]
    weight[last] = base[last]
    rows = weight[market.date_codes, market.asset_codes]
    # An asset that lost everything weighs nothing, and leaves at the month's end.
    return market.assign({DRIFT: np.where(rows > 0.0, rows, np.nan)})


def joined(parts: Iterable[FactorReturns]) -> FactorReturns:
    """Return factors side by side on all their dates, missing where one has not begun."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    frame = pd.concat([part.frame for part in parts], axis=1, sort=True)
    turnover = [part.turnover for part in parts if part.turnover is not None]
    return FactorReturns(
        frame,
        kind=parts[0].kind,
        freq=parts[0].freq,
        turnover=pd.concat(turnover, axis=1, sort=True) if turnover else None,
        source="; ".join(f"{part.factors[0]}: {part.source}" for part in parts),
        notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def portfolio_returns(
    config: ClusterConfig | SortConfig, strata: Strata, panel: Panel
) -> FactorReturns:
    """Return what each stratum earned, monthly."""
    return portfolio.portfolio_returns(
        strata,
        panel,
        weighting=weights_of(config),
        hold=cohorts_of(config),
        missing=config.missing,
    )


def dummies(config: ClusterConfig, strata: Strata, panel: Panel) -> FactorReturns:
    """Return what each cluster earned over the mean cluster, monthly."""
    return portfolio.dummy_returns(
        strata,
        panel,
        weighting=weights_of(config),
        hold=cohorts_of(config),
        missing=config.missing,
    )


def with_net(factors: Artefacts, freq: str) -> FactorReturns:
    """Return the long-short factors of one frequency, net ones beside gross where costs are set."""
    gross: FactorReturns = factors[f"spreads {freq}"]
    net: FactorReturns | None = factors.get(f"net {freq}")
    if net is None:
        return gross
    return gross.join(net.rename({name: f"{name} net" for name in net.factors}))
