"""Money: holdings that drift between trades, and what trading and borrowing take from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.factors import FactorReturns, Holdings, Kind
from alphastrata.core.panel import Panel, as_panel
from alphastrata.core.shown import Shown
from alphastrata.errors import ConfigError, InputDataError
from alphastrata.portfolio import accounts
from alphastrata.portfolio.costs import Cost, cost_rates
from alphastrata.portfolio.performance import PERIODS, sharpe
from alphastrata.portfolio.sizing import Sizing, sized

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Backtest(Shown):
    """What accounts earned, paid and held; every frame is date x portfolio.

    Over the period that ends at t: wealth(t) = wealth(t-1) x (1 + net(t)), and
    gross - trading - borrow = net, both to rounding.

    Attributes
    ----------
    wealth
        In currency units at the end of each date, before that date's trades; the first row is the
        capital at the first trade.
    gross
        Gains of positions and interest on cash, over wealth at the period's start.
    trading, borrow
        Costs of the trades that opened the period, and borrow fees; same base.
    net
        Return after costs.
    traded
        Value traded when the period opened, over wealth: two-sided turnover.
    long, short, cash
        Exposures when the period opened, over wealth.
    kind, freq, notes
        Kind and frequency of the returns; positions paid out, targets refused, accounts that end.
    """

    wealth: pd.DataFrame
    gross: pd.DataFrame
    trading: pd.DataFrame
    borrow: pd.DataFrame
    net: pd.DataFrame
    traded: pd.DataFrame
    long: pd.DataFrame
    short: pd.DataFrame
    cash: pd.DataFrame
    kind: Kind
    freq: str
    risk_free: pd.Series | None = None
    notes: tuple[Note, ...] = ()

    def returns(self, *, net: bool = True) -> FactorReturns:
        """Return net (or gross) returns, with one-sided turnover and costs beside them."""
        return FactorReturns(
            self.net if net else self.gross,
            kind=self.kind,
            freq=self.freq,
            risk_free=self.risk_free,
            turnover=0.5 * self.traded,
            costs=self.trading + self.borrow,
            source=f"backtest, {'net' if net else 'gross'} of costs",
            notes=self.notes,
        )

    def __repr__(self) -> str:
        return (
            f"Backtest: {self.net.shape[1]} portfolios, {len(self.net):,} periods ({self.freq}), "
            f"mean cost {float((self.trading + self.borrow).mean().mean()):.2e} per period"
        )


def run_backtest(
    holdings: Holdings,
    panel: Panel | pd.DataFrame,
    *,
    costs: Cost | Sequence[Cost] = (),
    capital: float = 1.0,
    risk_free: pd.Series | None = None,
    borrow_fee: float = 0.0,
    sizing: Sizing | None = None,
    ret: str = "ret",
) -> Backtest:
    """Return what portfolios earn in money when they trade to their holdings and drift between.

    Parameters
    ----------
    holdings
        Target weights by date, known at its end: one account per portfolio trades to them at the
        end of that date (or of the panel's first later date) and then drifts.
    panel
        The market, daily or monthly: returns, and the columns that costs and sizing name.
    costs
        `BasisPoints`, `HalfSpread`, `SquareRootImpact`, or several of them.
    capital
        Wealth at the first trade, in currency units; it matters to impact only.
    risk_free
        Rate per period by date, earned on cash; 0 when None.
    borrow_fee
        Per year, on the value of short positions, in decimals.
    sizing
        Leverage, caps on weights, beta-neutral legs.
    ret
        Column of returns.

    Returns
    -------
    Backtest
        Wealth, gross and net returns, costs, turnover and exposures.

    Raises
    ------
    ConfigError
        For capital or a fee that cannot be, or an unknown cost.
    InputDataError
        For columns that the panel lacks, or holdings that it does not reach.

    Examples
    --------
    >>> from alphastrata.portfolio.costs import BasisPoints
    >>> dates = pd.date_range("2020-01-31", periods=2, freq="ME")
    >>> panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": [0.0, 0.10]}))
    >>> index = pd.MultiIndex.from_tuples([(dates[0], "A", "p")])
    >>> done = run_backtest(Holdings(pd.Series([1.0], index=index), legs="long_only"), panel,
    ...                 costs=BasisPoints(100))
    >>> float(done.gross["p"].iloc[0]), round(float(done.net["p"].iloc[0]), 4)
    (0.1, 0.09)
    """
    panel = as_panel(panel)
    sizing = Sizing() if sizing is None else sizing
    found = Violations("backtest")
    found.require(capital > 0.0, "capital is positive", first=f"{capital}")
    found.require(borrow_fee >= 0.0, "borrow_fee is not negative", first=f"{borrow_fee}")
    found.raise_if_any(ConfigError)
    require_columns(panel.columns, [ret, *([sizing.beta] if sizing.beta else [])], "backtest")
    linear, impact, notes = cost_rates(panel, costs)
    rate, known = _on(panel, risk_free)
    names = holdings.portfolios
    table = _targets(holdings, panel, names)
    stray = table[(table["asset"] < 0) & (table["weight"] != 0.0)]
    if len(stray):
        first = f"date={stray['known'].min().date()}"
        rule = "targets in assets that the panel lacks"
        notes = (*notes, Note(rule, len(stray), len(table), first, "left in cash", "portfolio"))
    ledgers = {}
    for k, name in enumerate(names):
        trades = _trades(table[table["portfolio"] == k], panel, sizing, name)
        notes = (*notes, *trades.notes)
        ledgers[name] = accounts.run_account(
            panel.offsets,
            panel.asset_codes,
            panel.values(ret),
            linear,
            impact,
            trades.of_date,
            trades.offsets,
            trades.assets,
            trades.weights,
            rate,
            borrow_fee / PERIODS[panel.freq],
            capital,
            len(panel.assets),
        )
    return _report(ledgers, holdings, panel, known, [*holdings.notes, *notes])


def _on(panel: Panel, risk_free: pd.Series | None) -> tuple[Float64, pd.Series | None]:
    """Return what cash earns on each date of the panel, and the rate where it is known."""
    if risk_free is None:
        return np.zeros(len(panel.dates)), None
    # Read as rates beside factors are: monthly ones at month ends.
    read = FactorReturns(risk_free.to_frame("RF"), kind="total", freq=panel.freq).frame["RF"]
    rate = read.reindex(panel.dates)
    return rate.fillna(0.0).to_numpy(dtype=np.float64), rate


def _targets(holdings: Holdings, panel: Panel, names: list[str]) -> pd.DataFrame:
    """Return date code of the trade, asset code, portfolio and weight, sorted."""
    index = holdings.weights.index
    when = pd.DatetimeIndex(index.get_level_values(0))
    date = np.searchsorted(panel.dates.to_numpy(), when.to_numpy(), side="left")
    asset = panel.assets.get_indexer(index.get_level_values(1))
    table = pd.DataFrame(
        {
            "date": date,
            "asset": asset,
            "portfolio": pd.Index(names).get_indexer(index.get_level_values(2)),
            "weight": holdings.weights.to_numpy(),
            "known": when,
        }
    )
    reached = table["date"] < len(panel.dates)
    if not reached.any():
        raise InputDataError(
            f"Holdings begin {when[0].date()}, after the panel ends {panel.dates[-1].date()}."
        )
    table = table[reached]
    # Two sets of targets before one trading date: the later one counts.
    latest = table.groupby(["portfolio", "date"])["known"].transform("max")
    return table[table["known"] == latest]


class _Trades(NamedTuple):
    """The trade of each date (-1 for none), the targets of each trade, and notes."""

    of_date: Int64
    offsets: Int64
    assets: Int64
    weights: Float64
    notes: list[Note]


def _trades(table: pd.DataFrame, panel: Panel, sizing: Sizing, name: str) -> _Trades:
    """Return sized targets; where a leg has no beta to be divided by there is no trade."""
    trade_of = np.full(len(panel.dates), -1, dtype=np.int64)
    beta = panel.values(sizing.beta) if sizing.beta else None
    bounds = [0]
    codes: list[Int64] = [np.empty(0, dtype=np.int64)]
    weights: list[Float64] = [np.empty(0)]
    skipped: list[int] = []
    lacking = 0
    for date, part in table.groupby("date", sort=True):
        code = int(str(date))
        asset = part["asset"].to_numpy(dtype=np.int64)
        betas = None
        if beta is not None:
            rows = panel.lookup(np.full(asset.size, code, dtype=np.int64), asset)
            betas = np.where(rows >= 0, beta[rows], np.nan)
        try:
            weight = sized(part["weight"].to_numpy(dtype=np.float64), betas, sizing)
        except InputDataError as error:
            day = panel.dates[code].date()
            raise InputDataError(f"Targets of {name} on {day}: {error}") from error
        if weight is None:
            skipped.append(code)
            continue
        trade_of[code] = len(bounds) - 1
        lacking += 0 if betas is None else int(np.isnan(betas).sum())
        inside = asset >= 0
        codes.append(asset[inside])
        weights.append(weight[inside])
        bounds.append(bounds[-1] + int(inside.sum()))
    notes = []
    if skipped:
        rule = f"trades of legs without a positive {sizing.beta}"
        first, of = f"date={panel.dates[skipped[0]].date()}", len(skipped) + len(bounds) - 1
        notes.append(Note(rule, len(skipped), of, first, "not made", "portfolio"))
    if lacking:
        rule, action = f"targets without a {sizing.beta}", "counted with the mean of their leg"
        notes.append(Note(rule, lacking, bounds[-1], "", action, "portfolio"))
    return _Trades(
        trade_of,
        np.array(bounds, dtype=np.int64),
        np.concatenate(codes),
        np.concatenate(weights),
        notes,
    )


def _report(
    ledgers: dict[str, Float64],
    holdings: Holdings,
    panel: Panel,
    risk_free: pd.Series | None,
    notes: list[Note],
) -> Backtest:
    """Return the ledgers as frames, from the first trade on."""
    stacked = np.stack(list(ledgers.values()))
    began = np.flatnonzero(~np.isnan(stacked[:, :, accounts.NET]).all(axis=0))
    if not began.size:
        told = "; ".join(str(note) for note in notes)
        raise InputDataError(f"No period of the panel follows a first trade. {told}".rstrip())
    rows = panel.dates[began[0] :]
    names = pd.Index(list(ledgers), name="portfolio")

    def frame(field: int) -> pd.DataFrame:
        return pd.DataFrame(stacked[:, began[0] :, field].T, index=rows, columns=names)

    wealth = pd.DataFrame(
        stacked[:, began[0] - 1 :, accounts.WEALTH].T,
        index=panel.dates[began[0] - 1 :],
        columns=names,
    )
    for field, rule, action in (
        (accounts.EXITS, "positions in assets without a row", "paid out at their last value"),
        (accounts.REFUSED, "targets in assets without a row", "left in cash"),
    ):
        count = frame(field).sum(axis=1)
        if count.any():
            first = f"date={count.index[int((count > 0).argmax())].date()}"
            notes.append(Note(rule, int(count.sum()), 0, first, action, "portfolio"))
    if risk_free is not None:
        gap = risk_free.reindex(rows).isna()
        if gap.any():
            first = f"date={rows[int(gap.argmax())].date()}"
            rule, action = "dates without a risk-free rate", "cash earned nothing"
            notes.append(Note(rule, int(gap.sum()), len(gap), first, action, "portfolio"))
    broke = [name for name in names if (wealth[name] <= 0.0).any()]
    if broke:
        notes.append(
            Note(
                "accounts whose wealth is gone",
                len(broke),
                len(names),
                broke[0],
                "ended",
                "portfolio",
            )
        )
    kind: Kind = "zero_cost"
    if holdings.legs == "long_only" or risk_free is not None:
        kind = "total"
    return Backtest(
        wealth=wealth,
        gross=frame(accounts.GROSS),
        trading=frame(accounts.TRADING),
        borrow=frame(accounts.BORROW),
        net=frame(accounts.NET),
        traded=frame(accounts.TRADED),
        long=frame(accounts.LONG),
        short=frame(accounts.SHORT),
        cash=frame(accounts.CASH),
        kind=kind,
        freq=panel.freq,
        risk_free=None if risk_free is None else risk_free.reindex(rows),
        notes=tuple(notes),
    )


def capacity(
    holdings: Holdings,
    panel: Panel | pd.DataFrame,
    *,
    costs: Cost | Sequence[Cost],
    capitals: Sequence[float],
    sizing: Sizing | None = None,
    borrow_fee: float = 0.0,
) -> pd.DataFrame:
    """Return the capacity curve: what is left of a portfolio as more money trades it.

    Parameters
    ----------
    holdings, panel, costs, sizing, borrow_fee
        As for `run_backtest`; costs include a `SquareRootImpact` for capital to matter.
    capitals
        Wealth at the first trade, in currency units.

    Returns
    -------
    pandas.DataFrame
        Indexed by (portfolio, capital): annualised mean gross return, cost and net return, and
        the Sharpe ratio of net returns.

    Raises
    ------
    ConfigError, InputDataError
        As for `run_backtest`.

    Examples
    --------
    >>> from alphastrata.portfolio.costs import SquareRootImpact
    >>> dates = pd.date_range("2020-01-31", periods=3, freq="ME")
    >>> panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "ret": [0.0, 0.1, 0.2],
    ...                             "volatility": 0.02, "dollar_volume": 1e6}))
    >>> index = pd.MultiIndex.from_tuples([(dates[0], "A", "p")])
    >>> held = Holdings(pd.Series([1.0], index=index), legs="long_only")
    >>> curve = capacity(held, panel, costs=SquareRootImpact(), capitals=[1e4, 1e6])
    >>> curve["cost"].round(4).tolist()
    [0.012, 0.12]
    """
    panel = as_panel(panel)
    rows = {}
    rate = PERIODS[panel.freq]
    for capital in capitals:
        done = run_backtest(
            holdings, panel, costs=costs, capital=capital, sizing=sizing, borrow_fee=borrow_fee
        )
        for name in done.net:
            net = done.net[name].dropna()
            gross = done.gross[name].dropna()
            rows[str(name), capital] = {
                "gross": float(gross.mean() * rate),
                "cost": float((gross - net).mean() * rate),
                "net": float(net.mean() * rate),
                "sharpe": sharpe(net, rate),
            }
    return pd.DataFrame(rows).T.rename_axis(index=["portfolio", "capital"]).sort_index()
