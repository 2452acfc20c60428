"""From tables in the shape of CRSP and Compustat to a panel, six-month gap included."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note, require_columns
from alphastrata.core.panel import Panel
from alphastrata.errors import ConfigError
from alphastrata.portfolio.definitions import book_equity, investment, operating_profitability

Float64 = npt.NDArray[np.float64]

# Vendor column -> canonical column. Those in the second block are taken where they are.
CRSP_COLUMNS = {"permno": "asset", "date": "date", "ret": "ret", "mktcap": "market_cap"}
CRSP_OPTIONAL = {
    "exchange": "exchange",
    "industry": "industry",
    "prc": "price",
    "shrout": "shares",
    "ret_excess": "ret_excess",
}
# Statement characteristics of `definitions` -> the vendor table's own ready-made columns.
READY_MADE = {"book_equity": "be", "operating_profitability": "op", "investment": "inv"}


def crsp_compustat(
    crsp: pd.DataFrame,
    compustat: pd.DataFrame,
    *,
    definitions: Literal["french", "table"] = "french",
) -> Panel:
    """Return a monthly panel with market data and statements of the fiscal year before.

    Parameters
    ----------
    crsp
        One row per (permno, month): permno, gvkey, date, ret, mktcap, and, where they are,
        exchange, industry, prc, shrout, ret_excess. Any day of the month will do.
    compustat
        One row per (gvkey, fiscal year end): gvkey, datadate and the items of
        `portfolio.definitions`.
    definitions
        "french": book equity, operating profitability and investment are computed from the items
        as Kenneth French defines them; "table": the columns be, op and inv are taken as they are.

    Returns
    -------
    Panel
        Columns ret, market_cap, exchange, ..., and `add_fiscal_year`'s.

    Raises
    ------
    ConfigError
        For an unknown ``definitions``.
    InputDataError
        For columns that the tables lack.

    Examples
    --------
    >>> crsp = pd.DataFrame({"permno": 1, "gvkey": "1", "date": pd.date_range("2000-12-31",
    ...     periods=8, freq="ME"), "ret": 0.01, "mktcap": 50.0})
    >>> compustat = pd.DataFrame({"gvkey": ["1"], "datadate": pd.to_datetime(["2000-12-31"]),
    ...     "seq": [100.0], "at": [300.0], "sale": [80.0], "cogs": [30.0]})
    >>> crsp_compustat(crsp, compustat).values("book_to_market")[5:].tolist()
    [nan, 2.0, 2.0]
    """
    if definitions not in ("french", "table"):
        raise ConfigError(f"definitions is 'french' or 'table', got {definitions!r}.")
    require_columns(list(crsp.columns), [*CRSP_COLUMNS, "gvkey"], "The CRSP table")
    needed = ["gvkey", "datadate", *(READY_MADE.values() if definitions == "table" else ())]
    require_columns(list(compustat.columns), needed, "The Compustat table")
    names = {**CRSP_COLUMNS, **{k: v for k, v in CRSP_OPTIONAL.items() if k in crsp}}
    market = Panel(crsp[list(names)].rename(columns=names), freq="M")
    if definitions == "table":
        ready = compustat.rename(columns={v: k for k, v in READY_MADE.items()})
    else:
        book = book_equity(compustat)
        ready = compustat[["gvkey", "datadate"]].assign(
            book_equity=book,
            operating_profitability=operating_profitability(compustat, book),
            investment=investment(compustat),
        )
    statements = _links(crsp).merge(
        ready.assign(year=ready["datadate"].dt.year), on=["gvkey", "year"]
    )
    return add_fiscal_year(market, statements.rename(columns={"permno": "asset"}))


def _links(crsp: pd.DataFrame) -> pd.DataFrame:
    """Return permno, gvkey and the year whose statements the company brings to the permno.

    From June on that is the company of June: links of later months were not known then.
    """
    linked = crsp[["permno", "gvkey", "date"]].sort_values("date")
    linked["year"] = _known_year(pd.DatetimeIndex(linked["date"]))
    first = linked.drop_duplicates(["permno", "year"])
    return first.loc[first["gvkey"].notna(), ["permno", "gvkey", "year"]]


def _known_year(dates: pd.DatetimeIndex) -> npt.NDArray[np.int64]:
    """Return the calendar year whose fiscal years are known: year t-1 from June of t on."""
    return np.where(dates.month >= 6, dates.year - 1, dates.year - 2).astype(np.int64)


def add_fiscal_year(panel: Panel, statements: pd.DataFrame) -> Panel:
    """Return the panel with statements of the fiscal year that ended in the calendar year before.

    Parameters
    ----------
    panel
        Monthly, with market_cap.
    statements
        One row per asset and fiscal year end: asset, datadate, book_equity,
        operating_profitability and investment.

    Returns
    -------
    Panel
        From the end of June of year t to May of year t+1, an asset's rows carry the values of
        its last fiscal year that ended in calendar year t-1 (a gap of at least six months), its
        ``december_market_cap`` of year t-1, and ``book_to_market`` of both, where book equity is
        positive.

    Raises
    ------
    ConfigError
        For a panel that is not monthly.
    InputDataError
        For columns that are missing.

    Examples
    --------
    >>> dates = pd.date_range("2000-12-31", periods=7, freq="ME")
    >>> panel = Panel(pd.DataFrame({"date": dates, "asset": "A", "market_cap": 10.0}), freq="M")
    >>> statements = pd.DataFrame({"asset": ["A"], "datadate": pd.to_datetime(["2000-03-31"]),
    ...     "book_equity": [5.0], "operating_profitability": [0.2], "investment": [0.1]})
    >>> add_fiscal_year(panel, statements).values("book_to_market")[-2:].tolist()
    [nan, 0.5]
    """
    if panel.freq != "M":
        raise ConfigError(f"Fiscal years meet a monthly panel; this one has freq={panel.freq!r}.")
    fields = list(READY_MADE)
    require_columns(list(statements.columns), ["asset", "datadate", *fields], "Statements")
    ended = statements["datadate"].dt.year.to_numpy()
    last = (
        statements.assign(year=ended)
        .sort_values(["asset", "year", "datadate"], kind="stable")
        .drop_duplicates(["asset", "year"], keep="last")
    )
    last = last[last["asset"].isin(panel.assets)]
    # The fiscal years that a row may know: of calendar year t-1 from June of t on.
    year = _known_year(panel.dates)
    first, span = int(year.min()), int(year.max() - year.min()) + 1
    kept = last[(last["year"] >= first) & (last["year"] < first + span)]
    cells = (kept["year"].to_numpy() - first) * len(panel.assets) + panel.assets.get_indexer(
        pd.Index(kept["asset"])
    )
    at = (year - first)[panel.date_codes] * len(panel.assets) + panel.asset_codes
    out: dict[str, Float64] = {}
    for name in fields:
        table = np.full(span * len(panel.assets), np.nan)
        table[cells] = kept[name].to_numpy(dtype=np.float64)
        out[name] = table[at]
    out["december_market_cap"] = _december(panel, year)
    book, size = out["book_equity"], out["december_market_cap"]
    good = (book > 0.0) & (size > 0.0)
    out["book_to_market"] = np.where(good, book / np.where(good, size, 1.0), np.nan)
    dropped = len(statements) - len(last)
    notes = []
    if dropped:
        rule = "statements of assets that the panel lacks, or with a later one in the same year"
        notes.append(Note(rule, dropped, len(statements), "", "not used", "portfolio"))
    return panel.assign(out).with_notes(notes)


def _december(panel: Panel, year: npt.NDArray[np.int64]) -> Float64:
    """Return each row's market cap at the end of December of ``year`` (by date), if known."""
    decembers = pd.DatetimeIndex(pd.to_datetime([f"{y}-12-31" for y in year])).as_unit("ns")
    codes = panel.dates.get_indexer(decembers).astype(np.int64)
    rows = panel.lookup(codes[panel.date_codes], panel.asset_codes)
    return np.where(rows >= 0, panel.values("market_cap")[rows], np.nan)
