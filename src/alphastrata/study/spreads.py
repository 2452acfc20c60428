"""The factor stage: strata -> long-short factors and portfolios, on monthly and daily dates."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from alphastrata import portfolio
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ClusterConfig, SortConfig


def sort(config: SortConfig, panel: Panel) -> Artefacts:
    """Return the strata of one characteristic sort."""
    return {
        "strata": portfolio.quantile_sort(
            panel,
            config.by,
            n=config.n,
            breakpoints=config.breakpoints,
            rebalance=config.rebalance,
        )
    }


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
    if isinstance(config, SortConfig) and config.method != "quantile":
        here = market if config.by in market.columns else carried(panel, market, config.by)
        rebalance = config.rebalance or ("M" if market.freq == "D" else None)
        return portfolio.factor(
            here,
            config.by,
            method="size_neutral_2x3" if config.method == "size_neutral" else config.method,
            long=config.long,
            weighting=config.weighting if config.method == "size_neutral" else None,
            breakpoints=config.breakpoints,
            rebalance=rebalance,
            name=config.name,
        )
    if isinstance(config, SortConfig):
        return portfolio.long_short(
            strata, market, long=config.long, weighting=config.weighting, name=config.name
        )
    # Clusters are ranked by what the monthly panel knew; a daily market carries it forward.
    ranked = market if config.rank_by in market.columns else carried(panel, market, config.rank_by)
    return portfolio.long_short(
        strata, ranked, rank_by=config.rank_by, weighting=config.weighting, name=config.name
    )


def carried(panel: Panel, market: Panel, column: str) -> Panel:
    """Return the market with a slower panel's column as last known on each of its dates.

    A value of the monthly panel at the end of a month is known on days from that month end on.
    """
    last = panel.dates.searchsorted(market.dates, side="right").astype(np.int64) - 1
    assets = np.append(panel.assets.get_indexer(market.assets), -1).astype(np.int64)
    rows = panel.lookup(last[market.date_codes], assets[market.asset_codes])
    values = np.where(rows >= 0, panel.values(column)[rows], np.nan)
    return market.assign({column: values})


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
    return portfolio.portfolio_returns(strata, panel, weighting=config.weighting)


def with_net(factors: Artefacts, freq: str) -> FactorReturns:
    """Return the long-short factors of one frequency, net ones beside gross where costs are set."""
    gross: FactorReturns = factors[f"spreads {freq}"]
    net: FactorReturns | None = factors.get(f"net {freq}")
    if net is None:
        return gross
    return gross.join(net.rename({name: f"{name} net" for name in net.factors}))
