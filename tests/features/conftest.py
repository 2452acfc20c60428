"""Ragged random markets: gaps, entries, exits, zeros, negatives and missing values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from alphastrata.core.panel import Panel

# The canonical columns of a market panel that hold amounts; a formula may name no other field.
STATEMENT_FIELDS = [
    "current_assets",
    "current_liabilities",
    "cash",
    "short_term_investments",
    "receivables",
    "inventory",
    "total_assets",
    "long_term_debt",
    "short_term_debt",
    "total_liabilities",
    "accounts_payable",
    "book_equity",
    "sales",
    "cost_of_goods_sold",
    "gross_profit",
    "sga",
    "operating_income",
    "non_operating_income",
    "interest_expense",
    "income_taxes",
    "net_income",
    "eps",
    "depreciation_amortization",
    "equity_in_net_loss",
    "inventory_decrease",
    "capital_expenditures",
    "change_short_term_investments",
    "net_cash_flow",
    "operating_cash_flow",
    "dividends",
]
MARKET_FIELDS = ["ret", "price", "volume", "shares", "market_cap"]


def holes(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    """Put zeros, negatives and missing values into positive numbers."""
    draw = rng.random(values.size)
    out = np.where(draw < 0.04, 0.0, values)
    out = np.where((draw >= 0.04) & (draw < 0.10), -out, out)
    return np.where(draw > 0.93, np.nan, out)


def ragged_keys(
    rng: np.random.Generator, dates: pd.DatetimeIndex, assets: list[str], keep: float
) -> pd.DataFrame:
    """Return (date, asset) rows: each asset lives for a while and has gaps in it."""
    parts = []
    for asset in assets:
        first, last = np.sort(rng.integers(0, len(dates), 2))
        if asset == assets[0]:
            first, last = 0, len(dates) - 1
        alive = np.arange(first, last + 1)
        alive = alive[rng.random(alive.size) < keep]
        parts.append(pd.DataFrame({"date": dates[alive], "asset": asset}))
    return pd.concat(parts, ignore_index=True)


def monthly_frame(seed: int = 0, months: int = 84, n_assets: int = 24) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    dates = pd.date_range("2001-01-31", periods=months, freq="ME").delete([40])
    frame = ragged_keys(rng, dates, [f"A{i:02d}" for i in range(n_assets)], 0.96)
    n = len(frame)
    for name in STATEMENT_FIELDS:
        frame[name] = holes(rng, rng.lognormal(3.0, 1.0, n))
    frame["ret"] = np.where(rng.random(n) < 0.03, np.nan, rng.normal(0.01, 0.1, n))
    frame.loc[rng.integers(0, n, 3), "ret"] = -1.0
    for name in MARKET_FIELDS[1:]:
        frame[name] = holes(rng, rng.lognormal(4.0, 1.0, n))
    frame["exchange"] = rng.choice(["NYSE", "AMEX", "NASDAQ"], n)
    return frame


def statement_ages(frame: pd.DataFrame, seed: int = 5) -> np.ndarray:
    """Return period_end_age for yearly statements that become known 30 to 220 days later."""
    rng = np.random.default_rng(seed)
    ages = np.full(len(frame), np.nan)
    for _, rows in frame.groupby("asset").groups.items():
        month = int(rng.integers(1, 13))
        ends = pd.date_range("1999-01-31", "2009-12-31", freq="ME")
        ends = ends[ends.month == month]
        known = ends + pd.to_timedelta(rng.integers(30, 220, len(ends)), unit="D")
        for row in rows:
            seen = ends[known <= frame.loc[row, "date"]]
            if len(seen) and rng.random() > 0.02:
                ages[row] = (frame.loc[row, "date"] - seen[-1]).days
    return ages


def daily_frame(seed: int = 1, n_assets: int = 22) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    dates = pd.bdate_range("2003-03-03", "2006-11-17")
    frame = ragged_keys(rng, dates, [f"A{i:02d}" for i in range(2, n_assets + 2)], 0.99)
    n = len(frame)
    frame["ret"] = np.where(rng.random(n) < 0.01, np.nan, rng.normal(0.0005, 0.02, n))
    frame["price"] = holes(rng, rng.lognormal(3.0, 0.3, n))
    frame["volume"] = np.where(rng.random(n) < 0.1, 0.0, rng.lognormal(9.0, 1.0, n))
    frame.loc[rng.integers(0, n, 200), "volume"] = np.nan
    return frame


@pytest.fixture(scope="session")
def raw_monthly() -> pd.DataFrame:
    return monthly_frame()


@pytest.fixture(scope="session")
def raw_daily() -> pd.DataFrame:
    return daily_frame()


@pytest.fixture(scope="session")
def monthly(raw_monthly: pd.DataFrame) -> Panel:
    return Panel(raw_monthly)


@pytest.fixture(scope="session")
def daily(raw_daily: pd.DataFrame) -> Panel:
    return Panel(raw_daily)


@pytest.fixture(scope="session")
def aged_monthly(raw_monthly: pd.DataFrame) -> Panel:
    return Panel(raw_monthly.assign(period_end_age=statement_ages(raw_monthly)))


@pytest.fixture(scope="session")
def canonical_fields() -> set[str]:
    """Return every canonical column that holds an amount."""
    return {*STATEMENT_FIELDS, *MARKET_FIELDS}
