"""From cleaned prices and statements to a panel: the last steps that all file layouts share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.panel import Panel
from alphastrata.data.asof import as_of
from alphastrata.data.clocks import read_clock
from alphastrata.data.counting import note_rows
from alphastrata.data.daily import month_rows
from alphastrata.data.lags import Age, Lag
from alphastrata.data.matching import match_assets

__all__ = ["RawMarket", "assemble", "sort_prices"]


@dataclass(frozen=True)
class RawMarket:
    """What a layout hands over.

    Attributes
    ----------
    prices
        Daily rows sorted by asset and date: ``asset`` (categorical), ``date``, ``ret``, ``price``,
        ``volume``, and optionally ``split`` (cumulated factor by which closes jumped in splits).
    statements
        ``asset``, ``period_end``, optionally ``known_at``, canonical columns, among them
        ``shares``, counted at a split factor of one.
    industries
        Industry by asset, or None.
    notes
        What was done so far.
    """

    prices: pd.DataFrame
    statements: pd.DataFrame
    industries: pd.Series | None = None
    notes: Sequence[Note] = field(default_factory=tuple)


def sort_prices(prices: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    """Return prices with categorical assets, sorted by asset and date, without unusable rows.

    Parameters
    ----------
    prices
        ``asset`` (text), ``date``, ``price``, ``volume`` and others.

    Returns
    -------
    tuple
        Rows with a positive close, one per asset and date, and notes on those that went.
    """
    notes: list[Note] = []
    prices = prices.assign(asset=prices["asset"].astype(str).astype("category"))
    prices = prices.assign(asset=prices["asset"].cat.reorder_categories(
        sorted(prices["asset"].cat.categories)))  # fmt: skip
    found = Violations("prices")
    prices = prices.assign(date=read_clock(prices["date"], found))
    found.raise_if_any()
    date = prices["date"].to_numpy("datetime64[ns]")
    # Equal keys in a fixed order too, so that the order of the file's rows never matters.
    figures = [prices[name].to_numpy(np.float64) for name in ("price", "volume") if name in prices]
    order = np.lexsort((*figures, date, np.asarray(prices["asset"].cat.codes)))
    if not np.array_equal(order, np.arange(order.size)):
        prices = prices.iloc[order]
    bad = ~(prices["price"].to_numpy(np.float64) > 0)
    notes += note_rows(prices, bad, "A close is a positive number", "dropped")
    prices = prices.loc[~bad]
    twice = prices.duplicated(["asset", "date"], keep="last").to_numpy()
    notes += note_rows(
        prices, twice, "Each (date, asset) appears once", "the row with more volume kept"
    )
    return prices.loc[~twice].reset_index(drop=True), notes


def assemble(raw: RawMarket, *, freq: str, lag: Lag | None, max_age: Age | None) -> Panel:
    """Return the panel of a layout, daily or monthly.

    Parameters
    ----------
    raw
        Cleaned rows.
    freq
        "D", or "M" for month ends with compounded returns.
    lag, max_age
        See :func:`alphastrata.data.as_of`.
    """
    notes = list(raw.notes)
    rows = raw.prices
    if freq == "M":
        rows, more = month_rows(rows)
        notes += more
    statements, more = _with_prices(raw.statements, raw.prices)
    notes += more
    notes += _stops(raw.prices)
    columns = rows.rename(columns={"split": "_split"})
    if raw.industries is not None:
        columns = columns.assign(
            industry=pd.Categorical(columns["asset"].map(raw.industries.to_dict()))
        )
    prices = Panel(columns, freq=freq, notes=notes)
    return _sized(as_of(prices, statements, lag=lag, max_age=max_age))


def _with_prices(statements: pd.DataFrame, prices: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    known = match_assets(statements["asset"], prices["asset"].cat.categories)[0] >= 0
    rule = "An asset with statements has prices"
    notes = note_rows(statements, ~known, rule, "dropped", keys=("asset", "period_end"))
    return statements.loc[known], notes


def _stops(prices: pd.DataFrame) -> list[Note]:
    """Count the assets that stop trading before the file does; what they returned is unknown."""
    last = prices.groupby("asset", observed=True)["date"].max()
    table = last.reset_index()
    stops = (last < prices["date"].max() - pd.Timedelta(days=10)).to_numpy()
    return note_rows(
        table,
        stops,
        "Some assets stop trading before the files end, and their delisting return is unknown",
        "kept until they stop, no delisting return imputed",
    )


def _sized(panel: Panel) -> Panel:
    """Add market cap and undo splits since the shares were counted."""
    columns = {}
    shares = panel.values("shares")
    if "_split" in panel.columns:
        shares = shares / panel.values("_split")
        columns["shares"] = shares
    columns["market_cap"] = panel.values("price") * shares
    sized = panel.assign(columns)
    order = ["ret", "price", "volume", "shares", "market_cap", "exchange", "industry"]
    front = [name for name in order if name in sized.columns]
    return sized.select(
        front + [name for name in sized.columns if name not in front and name != "_split"]
    )
