"""The backtest and information stages: what factors earn in money, and how well ranks foretell."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata import portfolio
from alphastrata.core import Holdings, Panel, Strata
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import BacktestConfig, ClusterConfig, CostsConfig, SortConfig
from alphastrata.study.spreads import sides

MONTHS = 12


def held(config: ClusterConfig | SortConfig, strata: Strata, panel: Panel) -> Holdings:
    """Return the weights that a study's factor trades to on its formation dates."""
    if isinstance(config, ClusterConfig):
        return portfolio.holdings(
            sides(config, strata, panel), panel, weighting=config.weighting, long="low"
        )
    if config.method == "quantile":
        return portfolio.holdings(strata, panel, weighting=config.weighting, long=config.long)
    size_neutral = config.method == "size_neutral"
    return portfolio.factor_holdings(
        panel,
        config.by,
        method="size_neutral_2x3" if size_neutral else "rank",
        long=config.long,
        weighting=config.weighting if size_neutral else None,
        breakpoints=config.breakpoints,
        rebalance=config.rebalance,
        name=config.name,
    )


def backtest(
    config: BacktestConfig,
    costs: CostsConfig,
    parts: list[tuple[ClusterConfig | SortConfig, Strata]],
    panel: Panel,
) -> Artefacts:
    """Return wealth and costs of every factor, traded to its weights and drifting in between.

    Parameters
    ----------
    config
        Capital at the first trade.
    costs
        Basis points of the value traded, and the fee on the short leg.
    parts
        Clusterings and sorts with their strata.
    panel
        Monthly market.
    """
    wealth, rows = {}, {}
    for part, strata in parts:
        done = portfolio.run_backtest(
            held(part, strata, panel),
            panel,
            costs=portfolio.BasisPoints(costs.basis_points),
            capital=config.capital,
            borrow_fee=costs.borrow_fee,
        )
        name = done.net.columns[0]
        net = done.net[name].dropna()
        wealth[part.name] = done.wealth[name]
        rows[part.name] = {
            "gross": MONTHS * float(done.gross[name].mean()),
            "trading": MONTHS * float(done.trading[name].mean()),
            "borrowing": MONTHS * float(done.borrow[name].mean()),
            "net": MONTHS * float(net.mean()),
            "Sharpe, net": float(np.sqrt(MONTHS) * net.mean() / net.std()),
            "traded": MONTHS * float(done.traded[name].mean()),
            "final wealth": float(done.wealth[name].dropna().iloc[-1]),
        }
    return {
        "wealth": pd.DataFrame(wealth),
        "summary": pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor"),
    }


def information(names: tuple[str, ...], panel: Panel) -> Artefacts:
    """Return rank correlations of characteristics with later returns, by horizon in months."""
    tables, series = [], {}
    for name in names:
        found = portfolio.information_coefficients(panel, name)
        table = found.table().rename_axis("horizon").reset_index()
        tables.append(table.assign(characteristic=name).set_index(["characteristic", "horizon"]))
        series[name] = found.params
    return {
        "table": pd.concat(tables).reset_index(),
        "means": pd.DataFrame(series).rename_axis("horizon"),
    }
