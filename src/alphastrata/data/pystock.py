"""Layout "pystock": 10-K and 10-Q fields known on an archive date, and unadjusted daily closes.

The files are ``reports.parquet`` and ``prices_daily.parquet``; ``docs/data.md`` tells their traps.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.data.asof import visible_rows
from alphastrata.data.assembly import RawMarket, sort_prices
from alphastrata.data.clocks import read_clock
from alphastrata.data.counting import note_rows
from alphastrata.data.daily import clean_returns, drop_thin_sessions, status_notes
from alphastrata.data.fields import field_map, rename_fields
from alphastrata.data.tables import read_binary

__all__ = ["FILES", "read_pystock"]

FILES = ("reports.parquet", "prices_daily.parquet")
PERIOD = ("asset", "period_end", "known_at")
VERSION = ("period_focus", "doc_type", "amend", "fiscal_year")
QUARTER = {"Q1": 1.0, "Q2": 2.0, "Q3": 3.0, "FY": 4.0}
SMALLEST_EPS = 0.1
SHARES_RANGE = (1e5, 5e10)

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def read_pystock(folder: Path) -> RawMarket:
    """Return prices and statements of a folder in this layout.

    Parameters
    ----------
    folder
        Holds the two files in ``FILES``.

    Returns
    -------
    RawMarket
        Statements are known on their archive date.
    """
    prices, notes = _prices(folder / FILES[1])
    statements, more = _statements(folder / FILES[0])
    notes += more
    statements, more = _implied_shares(statements, prices)
    return RawMarket(prices, statements, None, [*notes, *more])


def _prices(path: Path) -> tuple[pd.DataFrame, list[Note]]:
    raw = read_binary(path, ["symbol", "date", "ret", "close", "volume"])
    raw.columns = pd.Index(["asset", "date", "ret", "price", "volume"])
    raw = raw.astype({"ret": np.float64, "price": np.float64, "volume": np.float64})
    prices, notes = sort_prices(raw)
    prices, more = drop_thin_sessions(prices)
    prices = prices.reset_index(drop=True)
    clean = clean_returns(prices)
    prices["ret"], prices["price"] = clean.ret, clean.price
    prices["split"] = clean.split
    return prices, [*notes, *more, *status_notes(prices, clean.status)]


def _statements(path: Path) -> tuple[pd.DataFrame, list[Note]]:
    raw = read_binary(path)
    require_columns(list(raw.columns), list(VERSION), path.name)
    table = rename_fields(raw, "pystock")
    table["asset"] = table["asset"].astype(str)
    found = Violations(path.name)
    for name in ("period_end", "known_at"):
        table[name] = read_clock(table[name], found)
    found.raise_if_any()
    table["_quarter"] = raw["period_focus"].map(QUARTER).astype(np.float64)
    table["_annual"] = (raw["doc_type"] == "10-K").to_numpy()
    table["_amended"] = (raw["amend"] == "True").to_numpy()
    table["_fiscal"] = raw["fiscal_year"].to_numpy(np.float64)
    table, notes = _one_row_each(table)
    notes += _blank_impossible(table)
    table["total_liabilities"] = table["total_assets"] - table["book_equity"]
    table, more = _annual_flows(table)
    notes += more
    cash = ["operating_cash_flow", "investing_cash_flow", "financing_cash_flow"]
    table["net_cash_flow"] = table[cash].sum(axis=1, skipna=False)
    return table.drop(columns=[*cash[1:], "_quarter", "_annual", "_amended", "_fiscal"]), notes


def _one_row_each(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """One row per asset, period end and archive date; rows that cannot be dated go."""
    early = (table["known_at"] < table["period_end"]).to_numpy()
    notes = note_rows(
        table, early, "A report is archived after its period ends", "dropped", keys=PERIOD
    )
    table = table.loc[~early]
    late = (table["known_at"] - table["period_end"]).dt.days > 180
    notes += note_rows(
        table,
        late,
        "A report is archived within 180 days",
        "kept, known when archived",
        keys=PERIOD,
    )
    year = table["period_end"].dt.year
    absurd = (table["_fiscal"] - year).abs() > 1
    notes += note_rows(
        table, absurd, "The fiscal year lies within a year of the period's end",
        "ignored; the period's end counts", keys=PERIOD,
    )  # fmt: skip
    notes += note_rows(
        table, table["_amended"], "A report may be amended later",
        "kept; each version counts from its own archive date", keys=PERIOD,
    )  # fmt: skip
    # Of several rows known on one day the amended one counts, then the fuller one; then larger
    # figures, so that the order of the file's rows never matters.
    filled = table.notna().sum(axis=1)
    figures = [name for name in table.select_dtypes("number").columns if name != "_fiscal"]
    order = table.assign(_filled=filled).sort_values(
        [*PERIOD, "_amended", "_filled", *figures], kind="stable", na_position="first"
    )
    twice = order.duplicated(list(PERIOD), keep="last").to_numpy()
    notes += note_rows(
        order, twice, "Each (asset, period end, archive date) appears once",
        "kept the amended, else the fuller row, else the one with larger figures", keys=PERIOD,
    )  # fmt: skip
    return order.loc[~twice].drop(columns="_filled").reset_index(drop=True), notes


def _blank_impossible(table: pd.DataFrame) -> list[Note]:
    """Set figures that contradict one another to missing, in place."""
    total = table["total_assets"]
    small = (total < 1e5) | (table["current_assets"] > 1.001 * total)
    owned = table["book_equity"] > 1.001 * total
    rules = [
        (small, ["total_assets"], "Total assets exceed 100,000 and current assets"),
        (owned & ~small, ["book_equity"], "Equity is at most total assets"),
        (table["current_liabilities"] <= 0, ["current_liabilities"],
         "Current liabilities are positive"),
    ]  # fmt: skip
    notes = []
    for mask, names, rule in rules:
        notes += note_rows(table, mask, rule, f"{names[0]} set missing", keys=PERIOD)
        table.loc[mask, names] = np.nan
    return notes


def _annual_flows(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Put flows on a yearly footing.

    The flows of the latest 10-K known by then, if its period ended at most 15 months before the
    report's; else the 10-Q's own, with the quarter's income times four and the cash flow since the
    start of the fiscal year scaled to a year.
    """
    kinds = field_map("pystock").set_index("canonical")["kind"]
    income = [str(name) for name in kinds.index[kinds == "flow"]]
    cash = [str(name) for name in kinds.index[kinds == "cash_flow"]]
    codes = pd.factorize(table["asset"], sort=True)[0].astype(np.int64)
    period = table["period_end"].to_numpy("datetime64[D]").astype(np.int64)
    known = table["known_at"].to_numpy("datetime64[D]").astype(np.int64)
    annual = np.flatnonzero(table["_annual"].to_numpy())
    found = visible_rows(codes, known, codes[annual], period[annual], known[annual])
    source = annual[np.maximum(found, 0)] if annual.size else np.zeros(len(table), np.int64)
    age = period - period[source]
    use = (found >= 0) & (age >= 0) & (age <= 457)
    quarter = table["_quarter"].to_numpy()
    out = table.copy()
    for names, scale in ((income, np.where(quarter < 4, 4.0, 1.0)), (cash, 4.0 / quarter)):
        for name in names:
            own = table[name].to_numpy(np.float64)
            out[name] = np.where(use, own[source], own * scale)
    carried = use & ~table["_annual"].to_numpy()
    scaled = ~use & ~table["_annual"].to_numpy()
    notes = note_rows(
        table, carried, "Flows are per year", "10-Q rows carry the flows of the last 10-K",
        keys=PERIOD,
    )  # fmt: skip
    notes += note_rows(
        table, scaled, "Flows are per year, and no 10-K of the last 15 months is known",
        "the 10-Q's income x 4, its cash flow since the fiscal year's start x 4 / quarters",
        keys=PERIOD,
    )  # fmt: skip
    out["_eps_own"], out["_income_own"] = table["eps"], table["net_income"]
    return out, notes


def _implied_shares(table: pd.DataFrame, prices: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Add ``shares`` = net income / diluted EPS where that can be believed, else the last such.

    They are counted at a split factor of one: the shares of a day are these over its factor.
    """
    income, eps = table.pop("_income_own"), table.pop("_eps_own")
    base = _split_at(table, prices)
    with np.errstate(divide="ignore", invalid="ignore"):
        implied = (income / eps).to_numpy(np.float64)
    low, high = SHARES_RANGE
    good = (eps.abs() >= SMALLEST_EPS).to_numpy() & (implied > low) & (implied < high)
    order = np.lexsort((table["period_end"], table["known_at"], table["asset"]))
    codes = pd.factorize(table["asset"], sort=True)[0].astype(np.int64)
    shares = np.full(len(table), np.nan)
    accepted = np.zeros(len(table), np.bool_)
    comparable = np.where(good, implied * base, np.nan)
    shares[order], accepted[order] = _carry(codes[order], comparable[order])
    notes = note_rows(
        table, ~good,
        f"Implied shares need |EPS| >= {SMALLEST_EPS} and lie within {low:.0e} to {high:.0e}",
        "last believed shares carried", keys=PERIOD,
    )  # fmt: skip
    notes += note_rows(
        table, good & ~accepted,
        "Implied shares change by less than a factor of 3, splits apart, unless repeated",
        "last believed shares carried", keys=PERIOD,
    )  # fmt: skip
    notes += note_rows(
        table, np.isnan(shares), "A report has, or follows, believable implied shares",
        "shares left missing", keys=PERIOD,
    )  # fmt: skip
    return table.assign(shares=shares), notes


def _carry(asset: Int64, implied: Float64) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Last believed value per asset, in order of publication, and which rows are believed."""
    out = np.full(implied.size, np.nan)
    believed = np.zeros(implied.size, np.bool_)
    last = doubt = np.nan
    for i, value in enumerate(implied.tolist()):
        if i == 0 or asset[i] != asset[i - 1]:
            last = doubt = np.nan
        if not np.isnan(value):
            near = np.isnan(last) or 1 / 3 < value / last < 3
            repeated = not np.isnan(doubt) and 2 / 3 < value / doubt < 1.5
            if near or repeated:
                last, doubt, believed[i] = value, np.nan, True
            else:
                doubt = value
        out[i] = last
    return out, believed


def _split_at(table: pd.DataFrame, prices: pd.DataFrame) -> Float64:
    """Cumulated split factor of each report's asset on the day it became known."""
    categories = prices["asset"].cat.categories
    width = 1_000_000
    asset = np.asarray(prices["asset"].cat.codes, np.int64)
    day = prices["date"].to_numpy("datetime64[D]").astype(np.int64)
    mine = categories.get_indexer(pd.Index(table["asset"])).astype(np.int64)
    known = table["known_at"].to_numpy("datetime64[D]").astype(np.int64)
    at = np.searchsorted(asset * width + day, mine * width + known, side="right") - 1
    safe = np.maximum(at, 0)
    found = (at >= 0) & (mine >= 0) & (asset[safe] == mine)
    return np.where(found, prices["split"].to_numpy(np.float64)[safe], 1.0)
