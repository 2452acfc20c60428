"""Statements of a simulated market: filings, restatements, and accounts that add up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Scores = dict[str, Float64]

RESTATED = ("liquidity", "leverage", "efficiency", "turnover", "overhead")
"""Scores that a restatement changes."""


@dataclass(frozen=True)
class Filings:
    """One row per publication, originals first (asset by asset, period by period).

    Attributes
    ----------
    asset, period
        int64[s], positions in the asset x period grid.
    known_day
        int64[s], day on which it becomes known, in the unit of the period days.
    shift
        float64[s, 5], change of the restated scores; zero for originals.
    lost
        bool[s, 3]: current items, cost of goods sold, other items are not reported.
    """

    asset: Int64
    period: Int64
    known_day: Int64
    shift: Float64
    lost: npt.NDArray[np.bool_]


def draw_filings(
    rng: np.random.Generator,
    period_day: Int64,
    exists: npt.NDArray[np.bool_],
    *,
    lag: tuple[int, int],
    restatement_rate: float,
    missing_rate: float,
) -> Filings:
    """Return who files what when.

    Parameters
    ----------
    rng
        Source of randomness.
    period_day
        int64[n, q], period ends in days.
    exists
        bool[n, q], whether the asset files for that period.
    lag
        Shortest and longest delay of an original filing, in days.
    restatement_rate
        Share of statements that are restated, 30 to 500 days after they were filed.
    missing_rate
        Share of statements in which a group of items is missing.
    """
    low, high = lag
    n, q = period_day.shape
    habit = rng.uniform(low, high, (n, 1))
    delay = np.clip(np.rint(habit + rng.normal(0.0, 6.0, (n, q))), low, high).astype(np.int64)
    asset, period = np.nonzero(exists)
    filed = (period_day + delay)[asset, period]
    again = np.flatnonzero(rng.random(asset.size) < restatement_rate)
    later = filed[again] + rng.integers(30, 501, again.size)
    lost = rng.random((asset.size, 3)) < missing_rate
    shift = np.zeros((asset.size + again.size, len(RESTATED)))
    shift[asset.size :] = 0.4 * rng.standard_normal((again.size, len(RESTATED)))
    return Filings(
        np.concatenate([asset, asset[again]]),
        np.concatenate([period, period[again]]),
        np.concatenate([filed, later]),
        shift,
        np.concatenate([lost, lost[again]]),
    )


def ratios(scores: Scores, filings: Filings) -> dict[str, Float64]:
    """Return the ratios that each filing reports, float64[s] each.

    ``current_ratio`` (current assets over current liabilities), ``leverage`` (total liabilities
    over total assets) and ``cost_ratio`` (cost of goods sold over sales) carry the premia; a group
    of items that is not reported makes them missing.
    """
    at = (filings.asset, filings.period)
    s = {name: score[at] for name, score in scores.items()}
    for j, name in enumerate(RESTATED):
        s[name] = s[name] + filings.shift[:, j]
    leverage = expit(0.1 + 0.75 * s["leverage"])
    current_share = 0.2 + 0.6 * expit(s["current_share"])
    wanted = np.exp(0.55 + 0.45 * s["liquidity"]) * current_share * leverage
    current_assets = 0.9 * -np.expm1(-wanted / 0.9)  # below nine tenths of the assets
    current_liabilities = current_share * leverage
    return {
        "current_assets": current_assets,
        "current_liabilities": current_liabilities,
        "leverage": leverage,
        "cost_ratio": 0.3 + 0.6 * expit(0.9 * s["efficiency"]),
        "cash_share": 0.1 + 0.25 * expit(s["cash_share"]),
        "inventory_share": 0.05 + 0.2 * expit(s["inventory_share"]),
        "receivables_share": 0.05 + 0.2 * expit(s["receivables_share"]),
        "long_debt_share": 0.15 + 0.7 * expit(s["long_debt_share"]),
        "payables_share": 0.15 + 0.4 * expit(s["payables_share"]),
        "short_debt_share": 0.05 + 0.3 * expit(s["short_debt_share"]),
        "turnover": np.exp(-0.1 + 0.4 * s["turnover"]),
        "overhead": 0.35 + 0.4 * expit(s["overhead"]),
        "investment": 0.03 + 0.05 * expit(s["investment"]),
        "depreciation": 0.02 + 0.05 * expit(s["depreciation"]),
        "other_income": 0.004 * s["other_income"],
        "affiliates": 0.001 * s["affiliates"],
        "cash_growth": 0.02 * s["cash_growth"],
        "inventory_growth": 0.05 + 0.1 * s["inventory_growth"],
        "liquid_growth": 0.01 * s["liquid_growth"],
    }


def characteristics(r: dict[str, Float64], filings: Filings) -> Float64:
    """Return liquidity, leverage and operating efficiency as reported, float64[3, s]."""
    out = np.stack([r["current_assets"] / r["current_liabilities"], r["leverage"], r["cost_ratio"]])
    out[0, filings.lost[:, 0]] = np.nan
    out[2, filings.lost[:, 1]] = np.nan
    return out


def grid_assets(value_score: Float64, leverage: Float64, market_cap: Float64) -> Float64:
    """Return total assets, float64[n, q], that follow market caps slowly.

    Book equity aims at a ratio to market cap that the state sets, and closes 15% of the gap
    between two periods.
    """
    aim = np.log(market_cap) - 0.6 + 0.5 * value_score - np.log1p(-leverage)
    level = aim.copy()
    for q in range(1, aim.shape[1]):
        level[:, q] = level[:, q - 1] + 0.15 * (aim[:, q] - level[:, q - 1])
    return np.asarray(np.exp(level))


def accounts(
    rng: np.random.Generator,
    filings: Filings,
    r: dict[str, Float64],
    total_assets: Float64,
    shares: Float64,
    payout: Float64,
) -> dict[str, Float64]:
    """Return every statement column, float64[s] each; stocks in currency, flows per year.

    Parameters
    ----------
    rng
        Source of randomness.
    filings, r
        Publications and their ratios.
    total_assets, shares, payout
        float64[s]: at the period end; payout in currency per year.

    Notes
    -----
    total_assets = total_liabilities + book_equity; current items, cash, receivables, inventory and
    debts are parts of their totals; gross_profit = sales - cost_of_goods_sold; operating_income =
    gross_profit - sga - depreciation_amortization; net_income = operating_income +
    non_operating_income - interest_expense - income_taxes - equity_in_net_loss.
    """
    wobble = _Wobble(rng, filings)
    a = total_assets
    current, short = r["current_assets"] * a, r["current_liabilities"] * a
    liabilities = r["leverage"] * a
    long = liabilities - short
    sales = r["turnover"] * a
    cost = r["cost_ratio"] * sales
    gross = sales - cost
    sga = np.minimum(r["overhead"] * np.exp(wobble(0.12)), 0.95) * gross
    depreciation = r["depreciation"] * a
    operating = gross - sga - depreciation
    long_debt, short_debt = r["long_debt_share"] * long, r["short_debt_share"] * short
    interest = 0.05 * (long_debt + short_debt) * np.exp(wobble(0.1))
    other = r["other_income"] * a * np.exp(wobble(0.3))
    equity_loss = r["affiliates"] * a * np.exp(wobble(0.3))
    taxes = 0.25 * np.maximum(operating + other - interest, 0.0)
    net = operating + other - interest - taxes - equity_loss
    inventory = r["inventory_share"] * current
    inventory_decrease = -r["inventory_growth"] * inventory * np.exp(wobble(0.3))
    operating_cash = net + depreciation + inventory_decrease + 0.02 * a * wobble()
    capex = r["investment"] * a * np.exp(wobble(0.2))
    change_short = r["liquid_growth"] * current * np.exp(wobble(0.3))
    out = {
        "current_assets": current,
        "current_liabilities": short,
        "cash": r["cash_share"] * current,
        "short_term_investments": 0.5 * r["cash_share"] * (1.0 - r["cash_share"]) * current,
        "receivables": r["receivables_share"] * current,
        "inventory": inventory,
        "total_assets": a,
        "long_term_debt": long_debt,
        "short_term_debt": short_debt,
        "total_liabilities": liabilities,
        "accounts_payable": r["payables_share"] * short,
        "book_equity": a - liabilities,
        "sales": sales,
        "cost_of_goods_sold": cost,
        "gross_profit": gross,
        "sga": sga,
        "operating_income": operating,
        "non_operating_income": other,
        "interest_expense": interest,
        "income_taxes": taxes,
        "net_income": net,
        "eps": net / shares,
        "depreciation_amortization": depreciation,
        "equity_in_net_loss": equity_loss,
        "inventory_decrease": inventory_decrease,
        "capital_expenditures": capex,
        "change_short_term_investments": change_short,
        "net_cash_flow": r["cash_growth"] * a * np.exp(wobble(0.3)),
        "operating_cash_flow": operating_cash,
        "dividends": payout,
    }
    for group, names in enumerate(LOST_TOGETHER):
        for name in names:
            out[name] = np.where(filings.lost[:, group], np.nan, out[name])
    return out


LOST_TOGETHER = (
    ("current_assets", "current_liabilities"),
    ("cost_of_goods_sold", "gross_profit"),
    ("non_operating_income", "equity_in_net_loss", "change_short_term_investments"),
)
"""Items that go missing together, as they do where a company's layout has no such line."""


class _Wobble:
    """Noise per asset and period, shared by a statement and its restatement."""

    def __init__(self, rng: np.random.Generator, filings: Filings) -> None:
        self._rng, self._filings = rng, filings
        self._shape = (int(filings.asset.max()) + 1, int(filings.period.max()) + 1)

    def __call__(self, scale: float = 1.0) -> Float64:
        draws = self._rng.standard_normal(self._shape)
        return np.asarray(scale * draws[self._filings.asset, self._filings.period])


def statement_frame(
    names: pd.Index,
    filings: Filings,
    period_day: Int64,
    columns: dict[str, Float64],
) -> pd.DataFrame:
    """Return publications as a table sorted by asset, period end and publication."""
    order = np.lexsort((filings.known_day, filings.period, filings.asset))
    asset, period = filings.asset[order], filings.period[order]
    clocks = {
        "asset": names.take(asset),
        "period_end": period_day[asset, period].astype("datetime64[D]").astype("datetime64[ns]"),
        "known_at": filings.known_day[order].astype("datetime64[D]").astype("datetime64[ns]"),
    }
    values = {name: column[order] for name, column in columns.items()}
    return pd.DataFrame({**clocks, **values})
