"""Layout "nyse": annual 10-K fields without filing dates, and adjusted daily closes.

The files ``fundamentals.csv.gz``, ``securities.csv`` and ``prices_daily.parquet`` hold survivors of
the S&P 500; see ``docs/data.md`` for their traps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.data.assembly import RawMarket, sort_prices
from alphastrata.data.clocks import read_clock
from alphastrata.data.counting import note_rows
from alphastrata.data.daily import clean_returns, close_changes, status_notes
from alphastrata.data.fields import rename_fields
from alphastrata.data.numbers import read_numbers
from alphastrata.data.tables import read_binary, read_csv

__all__ = ["FILES", "read_nyse"]

FILES = ("fundamentals.csv.gz", "securities.csv", "prices_daily.parquet")
PERIOD = ("asset", "period_end")


def read_nyse(folder: Path) -> RawMarket:
    """Return prices, statements and industries of a folder in this layout.

    Parameters
    ----------
    folder
        Holds the three files in ``FILES``.

    Returns
    -------
    RawMarket
        Statements carry no ``known_at``: the caller must declare a lag.
    """
    statements, notes = _statements(folder / FILES[0])
    prices, more = _prices(folder / FILES[2])
    sectors = read_csv(folder / FILES[1], dtype=str)
    require_columns(list(sectors.columns), ["Ticker Symbol", "GICS Sector"], FILES[1])
    industries = sectors.set_index("Ticker Symbol")["GICS Sector"]
    return RawMarket(prices, statements, industries, [*notes, *more, *_warnings(prices)])


def _prices(path: Path) -> tuple[pd.DataFrame, list[Note]]:
    raw = read_binary(path, ["Ticker", "Date", "Close", "Volume"])
    raw.columns = pd.Index(["asset", "date", "price", "volume"])
    raw = raw.astype({"price": np.float64, "volume": np.float64})
    prices, notes = sort_prices(raw)
    prices.insert(2, "ret", close_changes(prices))
    clean = clean_returns(prices)
    prices["ret"], prices["price"] = clean.ret, clean.price
    return prices, [*notes, *status_notes(prices, clean.status)]


def _warnings(prices: pd.DataFrame) -> list[Note]:
    assets = prices["asset"].nunique()
    first = f"asset={prices['asset'].cat.categories[0]}"
    return [
        Note(
            "Assets are those still listed when the file was made: survivorship-biased",
            assets, assets, first, "kept", "data",
        ),
        Note(
            "Closes are adjusted for later splits and dividends, so market caps of the past are "
            "too low",
            assets, assets, first, "market_cap = adjusted close x estimated shares", "data",
        ),
    ]  # fmt: skip


def _statements(path: Path) -> tuple[pd.DataFrame, list[Note]]:
    found = Violations(path.name)
    # Everything is read as text first: the ticker NA is a ticker.
    raw = read_csv(path, dtype=str)
    require_columns(list(raw.columns), ["Ticker Symbol", "Period Ending", "For Year"], FILES[0])
    for name in raw.columns.difference(["Ticker Symbol", "Period Ending"]):
        raw[name] = read_numbers(raw[name], found)
    table = rename_fields(raw, "nyse")
    ends = table["period_end"]
    table["period_end"] = read_clock(ends.where(ends != ""), found, required=False)
    found.raise_if_any()
    notes: list[Note] = []
    table = _check_periods(table, raw["For Year"].to_numpy(np.float64), notes)
    notes += _compare_ratios(table)
    notes += _blank_zeros(table)
    notes += _check_shares(table)
    return table.drop(columns=["current_ratio", "gross_margin", "cash_ratio"]), notes


def _check_periods(
    table: pd.DataFrame, fiscal_year: npt.NDArray[np.float64], notes: list[Note]
) -> pd.DataFrame:
    """Key statements by their period's end; the fiscal year is only looked at."""
    undated = table["period_end"].isna().to_numpy()
    notes += note_rows(table, undated, "A statement has a period end", "dropped", keys=PERIOD)
    table, fiscal_year = table.loc[~undated], fiscal_year[~undated]
    # A fixed order of equal keys, so that the order of the file's rows never matters.
    figures = [str(name) for name in table.select_dtypes("number").columns]
    order = table.reset_index(drop=True).sort_values([*PERIOD, *figures], na_position="first").index
    table, fiscal_year = table.iloc[order], fiscal_year[order]
    twice = table.duplicated(list(PERIOD), keep="last").to_numpy()
    notes += note_rows(
        table, twice, "Each (asset, period end) appears once", "the one with larger figures kept",
        keys=PERIOD,
    )  # fmt: skip
    table, fiscal_year = table.loc[~twice].reset_index(drop=True), fiscal_year[~twice]
    year = table["period_end"].dt.year.to_numpy()
    absurd = np.abs(fiscal_year - year) > 1
    rule = "The field For Year lies within a year of the period's end"
    notes += note_rows(table, absurd, rule, "ignored; the period's end counts", keys=PERIOD)
    pairs = pd.DataFrame({"asset": table["asset"], "year": fiscal_year})
    again = pairs.duplicated().to_numpy()
    notes += note_rows(
        table, again, "Each (asset, For Year) appears once",
        "ignored; the period ends differ and count", keys=PERIOD,
    )  # fmt: skip
    return table


def _compare_ratios(table: pd.DataFrame) -> list[Note]:
    """Hold the vendor's ratios, stored times 100, against the accounts."""
    computed = {
        "current_ratio": table["current_assets"] / table["current_liabilities"],
        "gross_margin": table["gross_profit"] / table["sales"],
    }
    notes = []
    for name, ratio in computed.items():
        off = (table[name] - ratio).abs() > 0.03
        rule = f"The reported {name} agrees with the accounts to 0.03"
        notes += note_rows(table, off, rule, "reported ratio ignored", keys=PERIOD)
    return notes


def _blank_zeros(table: pd.DataFrame) -> list[Note]:
    """Set zeros that mean "not reported" to missing, in place."""
    unclassified = (table["current_assets"] == 0) & (table["current_liabilities"] == 0)
    no_block = (table["gross_profit"] == 0) & (table["operating_income"] == 0)
    current = ["current_assets", "current_liabilities"]
    block = ["gross_profit", "operating_income"]
    rules = [
        (unclassified, current, "Balance sheet split into current and other items"),
        (no_block, block, "Income statement with gross profit and operating income"),
        (table["cost_of_goods_sold"] == 0, ["cost_of_goods_sold"], "Cost of goods sold above zero"),
        (table["accounts_payable"] == 0, ["accounts_payable"], "Accounts payable above zero"),
    ]
    notes = []
    for mask, names, rule in rules:
        action = f"zeros set missing in {', '.join(names)}"
        notes += note_rows(table, mask, rule, action, keys=PERIOD)
        table.loc[mask, names] = np.nan
    return notes


def _check_shares(table: pd.DataFrame) -> list[Note]:
    """Drop impossible share counts, in place, and count jumps that closes may not share."""
    negative = table["shares"] <= 0
    notes = note_rows(
        table, negative, "Estimated shares (net income over EPS) are positive",
        "the shares of the statement before carried, if any", keys=PERIOD,
    )  # fmt: skip
    table.loc[negative, "shares"] = np.nan
    notes += note_rows(
        table, table["shares"].isna() & ~negative, "A statement has earnings per share",
        "the shares of the statement before carried, if any", keys=PERIOD,
    )  # fmt: skip
    ordered = table.sort_values(list(PERIOD))
    step = ordered["shares"] / ordered.groupby("asset")["shares"].shift()
    table["shares"] = ordered.groupby("asset")["shares"].ffill()
    jump = ((step > 1.8) | (step < 1 / 1.8)).reindex(table.index)
    notes += note_rows(
        table, jump, "Shares change by less than a factor of 1.8 within a year",
        "kept; adjusted closes show no split, so market caps jump here", keys=PERIOD,
    )  # fmt: skip
    return notes
