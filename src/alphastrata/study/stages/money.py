"""The backtest stage: what factors earn in money, gross and net, and how it got there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from alphastrata import portfolio
from alphastrata.core import FactorReturns, Holdings, Panel, Strata
from alphastrata.core.checks import Note
from alphastrata.core.faults import Fault, SettingError
from alphastrata.errors import InputDataError
from alphastrata.portfolio import performance as measure
from alphastrata.portfolio.targets import Sides
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import BacktestConfig, ClusterConfig, CostsConfig, SortConfig
from alphastrata.study.stages.spreads import last_size, rule_of, sides
from alphastrata.study.stages.weighing import (
    cohorts_of,
    costs_of,
    method_of,
    ranking_of,
    screen_of,
    weights_of,
)

MONTHS = 12
Part = tuple[ClusterConfig | SortConfig, Strata]


def held(
    config: ClusterConfig | SortConfig, strata: Strata, panel: Panel, *, legs: Sides = "long_short"
) -> Holdings:
    """Return the weights that a study's factor trades to on its formation dates."""
    weighting, hold = weights_of(config), cohorts_of(config)
    if isinstance(config, ClusterConfig):
        if isinstance(weighting, portfolio.Soft):
            ranked = ranking_of(config)
            return portfolio.soft_holdings(
                strata, panel, rank_by=ranked, weighting=weighting, hold=hold, legs=legs
            )
        strata = sides(config, strata, panel)
        return portfolio.holdings(
            strata, panel, weighting=weighting, long="low", hold=hold, legs=legs
        )
    if len(config.columns) > 1:
        return portfolio.joint_holdings(
            strata,
            panel,
            last=last_size(config),
            long=config.long,
            weighting=weighting,
            hold=hold,
            legs=legs,
            name=config.name,
        )
    if config.method == "quantile":
        return portfolio.holdings(
            strata, panel, weighting=weighting, long=config.long, hold=hold, legs=legs
        )
    return portfolio.factor_holdings(
        panel,
        config.columns[0],
        method=method_of(config),
        long=config.long,
        weighting=weighting if config.method == "size_neutral" else None,
        breakpoints=rule_of(config),
        rebalance=config.rebalance,
        name=config.name,
        where=screen_of(config),
        hold=hold,
        legs=legs,
    )


@dataclass(frozen=True)
class Trade:
    """How all accounts trade: rules, costs, and what cash earns."""

    config: BacktestConfig
    costs: CostsConfig
    known: FactorReturns

    @property
    def sizing(self) -> portfolio.Sizing:
        """Leverage, caps and betas."""
        wanted = self.config
        return portfolio.Sizing(wanted.leverage, wanted.max_weight, wanted.beta)

    @property
    def cash(self) -> pd.Series | None:
        """What cash earns per period.

        Raises
        ------
        SettingError
            When the benchmark brings no risk-free rate.
        """
        if self.config.cash == "none":
            return None
        if self.known.risk_free is None:
            said = (
                f'"risk_free", and {self.known.source} brings no risk-free rate; take a benchmark '
                'with source = "bundled" or a file of the library with RF, or cash = "none"'
            )
            raise SettingError([Fault(("backtest", "cash"), said)])
        return self.known.risk_free

    def run(self, holdings: Holdings, panel: Panel) -> portfolio.Backtest:
        """Return the account of one factor."""
        return portfolio.run_backtest(
            holdings,
            panel,
            costs=costs_of(self.costs),
            capital=self.config.capital,
            risk_free=self.cash,
            borrow_fee=self.costs.borrow_fee,
            sizing=self.sizing,
        )

    def capacity(self, holdings: Holdings, panel: Panel) -> pd.DataFrame:
        """Return net returns over starting capital."""
        return portfolio.capacity(
            holdings,
            panel,
            costs=costs_of(self.costs),
            capitals=sorted(set(self.config.capacities)),
            sizing=self.sizing,
            borrow_fee=self.costs.borrow_fee,
        )


def backtest(
    config: BacktestConfig,
    costs: CostsConfig,
    parts: list[Part],
    panel: Panel,
    known: FactorReturns,
) -> Artefacts:
    """Return wealth and costs of every factor, traded to its weights and drifting in between.

    Parameters
    ----------
    config
        Capital at the first trade, legs, sizing, what is reported.
    costs
        What trades cost, and the fee on the short leg.
    parts
        Clusterings and sorts with their strata.
    panel
        Monthly market.
    known
        The headline benchmark: its risk-free rate, and the factor that betas are against.

    Returns
    -------
    Artefacts
        Frames: wealth, summary, ledger (long, by date and factor), gross, net (growth of one
        unit), drawdowns, performance, losses, by_year (returns), years (every statistic), met;
        regimes and capacity where asked for.
    """
    trade = Trade(config, costs, known)
    done, curves, traded = {}, {}, {}
    for part, strata in parts:
        holdings = traded[part.name] = held(part, strata, panel, legs=config.legs)
        try:
            done[part.name] = trade.run(holdings, panel)
        except InputDataError as error:
            raise InputDataError(f"[backtest] of {part.name}: {error}") from error
        if config.capacities:
            curves[part.name] = trade.capacity(holdings, panel)["net"].droplevel("portfolio")
    net = {name: _named(one, name, known, net=True) for name, one in done.items()}
    gross = {name: _named(one, name, known, net=False) for name, one in done.items()}
    reference = known.excess()[config.benchmark or known.factors[0]]
    out: Artefacts = {
        "wealth": pd.DataFrame({name: one.wealth.iloc[:, 0] for name, one in done.items()}),
        "summary": _summary(done, net),
        "ledger": _ledger(done),
        "gross": _growth(gross),
        "net": _growth(net),
        **_appraised(net, reference),
        "years": _grouped(net, "year", reference).rename(columns={"group": "year"}),
        "by_year": pd.concat(
            [portfolio.by_year(one.frame) for one in net.values()], axis=1
        ).sort_index(),
        "about": {"benchmark": str(reference.name)},
        "met": _met(done, {name: one.notes for name, one in traded.items()}),
    }
    out["drawdowns"] = out["net"] / out["net"].cummax() - 1.0
    for name in config.regimes:
        labels = regime(name, known, panel)
        out[f"regime {name}"] = _grouped(net, labels, reference).rename(columns={"group": "regime"})
    if curves:
        out["capacity"] = pd.DataFrame(curves).rename_axis("capital").reset_index()
    return out


def _named(
    done: portfolio.Backtest, name: str, known: FactorReturns, *, net: bool
) -> FactorReturns:
    """Return an account's returns under the factor's name, with the risk-free rate of total ones.

    An account that holds one leg, or whose cash earns interest, is compared with that rate.
    """
    found = done.returns(net=net)
    (old,) = found.factors
    rate = known.risk_free if found.risk_free is None else found.risk_free
    if found.kind == "total" and rate is None:
        said = (
            f"the account of {name} has total returns, and {known.source} brings no risk-free "
            'rate to compare them with; take a benchmark with RF, or "long_short"'
        )
        raise SettingError([Fault(("backtest", "legs"), said)])
    frame = found.frame[old].dropna().to_frame(name)
    turnover = None if found.turnover is None else found.turnover[old].to_frame(name)
    return FactorReturns(
        frame,
        kind=found.kind,
        freq=found.freq,
        risk_free=None if rate is None or found.kind != "total" else rate.reindex(frame.index),
        turnover=turnover,
        source=found.source,
    )


def _summary(
    done: dict[str, portfolio.Backtest], returns: dict[str, FactorReturns]
) -> pd.DataFrame:
    """Return what accounts earned and paid per year, over wealth; Sharpe ratios of the excess."""
    rows = {}
    for name, one in done.items():
        net = one.net.iloc[:, 0].dropna()
        excess = returns[name].excess()[name].dropna()
        rows[name] = {
            "gross": MONTHS * float(one.gross.iloc[:, 0].mean()),
            "trading": MONTHS * float(one.trading.iloc[:, 0].mean()),
            "borrowing": MONTHS * float(one.borrow.iloc[:, 0].mean()),
            "net": MONTHS * float(net.mean()),
            "Sharpe, net": float(np.sqrt(MONTHS) * excess.mean() / excess.std()),
            "traded": MONTHS * float(one.traded.iloc[:, 0].mean()),
            "final wealth": float(one.wealth.iloc[:, 0].dropna().iloc[-1]),
        }
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("factor")
    table.insert(6, "turnover, one-sided", 0.5 * table["traded"])
    return table


def _met(done: dict[str, portfolio.Backtest], before: dict[str, tuple[Note, ...]]) -> pd.DataFrame:
    """Return what accounts met beside what their holdings did: gaps in costs, exits, refusals.

    What all of them met alike is said once.
    """
    found: dict[Note, list[str]] = {}
    for name, one in done.items():
        for note in one.notes:
            if note not in before[name]:
                found.setdefault(note, []).append(name)
    rows = [
        {
            "factor": "all" if len(names) == len(done) > 1 else ", ".join(names),
            "rule": note.rule,
            "rows": note.count,
            "of": note.of or None,
            "action": note.action,
        }
        for note, names in found.items()
    ]
    return pd.DataFrame(rows, columns=["factor", "rule", "rows", "of", "action"])


def _ledger(done: dict[str, portfolio.Backtest]) -> pd.DataFrame:
    """Return every account's books, one row per date and factor."""
    fields = ("gross", "trading", "borrow", "net", "traded", "long", "short", "cash", "wealth")
    parts = []
    for name, one in done.items():
        books = pd.DataFrame({field: getattr(one, field).iloc[:, 0] for field in fields})
        books = books.rename_axis("date").reset_index()
        books.insert(1, "factor", name)
        parts.append(books)
    return pd.concat(parts, ignore_index=True)


def _growth(returns: dict[str, FactorReturns]) -> pd.DataFrame:
    """Return growth of one unit, date x factor, from the month before the first return."""
    paths = {}
    for name, one in returns.items():
        own = one.frame[name]
        dates = pd.DatetimeIndex([own.index[0] - pd.offsets.MonthEnd(1), *own.index])
        paths[name] = pd.Series(measure.wealth(own.to_numpy()), index=dates)
    return pd.DataFrame(paths).sort_index()


def _appraised(returns: dict[str, FactorReturns], reference: pd.Series) -> Artefacts:
    """Return tables of performance and of losses, one row per factor."""
    found = [portfolio.appraise(one, benchmark=reference) for one in returns.values()]
    numbers = pd.concat([one.numbers for one in found]).rename_axis("factor")
    falls = pd.concat([one.drawdowns for one in found]).rename_axis("factor")
    dates = {name: pd.to_datetime(falls[name]) for name in ("peak", "trough", "recovery")}
    good = ["mean", "volatility", "sharpe", "sortino", "growth", "hit_rate", "alpha", "beta"]
    bad = ["max_drawdown", "calmar", "value_at_risk", "expected_shortfall", "skewness"]
    losses = numbers[[*bad, "excess_kurtosis"]]
    return {
        "performance": numbers.reindex(columns=good),
        "losses": losses.assign(**dates),
    }


def _grouped(
    returns: dict[str, FactorReturns],
    groups: pd.Series | Literal["year"],
    reference: pd.Series,
) -> pd.DataFrame:
    """Return every statistic by group and factor."""
    tables = [portfolio.appraise_by(one, groups, benchmark=reference) for one in returns.values()]
    return pd.concat(tables).sort_index(level="group", sort_remaining=False).reset_index()


def regime(name: str, known: FactorReturns, panel: Panel) -> pd.Series:
    """Return a label by date: a factor's sign, or where a macro series stands.

    Parameters
    ----------
    name
        A factor of the benchmark, or a column that has one value for all assets of a date.
    known
        The headline benchmark.
    panel
        The market.

    Returns
    -------
    pandas.Series
        Of a factor: up or down in the month. Of a series with two values: which of them. Of
        another one: above or below its median up to the date.
    """
    if name in known.factors:
        values = known.frame[name]
        return values.map(lambda x: f"{name} up" if x > 0 else f"{name} down").where(values.notna())
    series = panel.frame[name].groupby(level="date").first().dropna()
    if series.nunique() <= 2:
        return series.map(lambda x: f"{name} = {x:g}")
    above = series > series.expanding().median()
    return above.map({True: f"{name} high", False: f"{name} low"})
