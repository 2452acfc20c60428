"""Delisting returns: what holders got when an asset stopped trading."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations, require_columns
from alphastrata.core.panel import Panel, as_panel


def include_delistings(
    panel: Panel | pd.DataFrame,
    delistings: pd.DataFrame,
    *,
    default: float | None = None,
    ret: str = "ret",
) -> Panel:
    """Return the panel with delisting returns in the last return of assets that stop trading.

    Parameters
    ----------
    panel
        The market.
    delistings
        One row per asset: asset, date, delisting_return (decimals; -1 is a total loss).
    default
        Stands in for a missing delisting return; such returns stay out when None. Shumway (1997)
        suggests -0.30 for delistings for cause on NYSE and AMEX, Shumway and Warther (1999)
        -0.55 on NASDAQ.
    ret
        Column of returns.

    Returns
    -------
    Panel
        Where the asset has a row on the panel's date at or after the delisting, its return is
        (1 + return) (1 + delisting return) - 1; where it has none, a row with the delisting
        return alone is added, so that it reaches portfolios that held the asset. What was added,
        compounded and filled is noted.

    Raises
    ------
    InputDataError
        For missing columns, assets delisted twice, or returns below -1.

    References
    ----------
    Shumway (1997), "The delisting bias in CRSP data", Journal of Finance 52.

    Examples
    --------
    >>> panel = Panel(pd.DataFrame({"date": ["2020-01-31", "2020-02-29"], "asset": ["A", "B"],
    ...                             "ret": [0.1, 0.0]}))
    >>> gone = pd.DataFrame({"asset": ["A"], "date": ["2020-02-10"], "delisting_return": [-1.0]})
    >>> include_delistings(panel, gone).wide("ret")["A"].tolist()
    [0.1, -1.0]
    """
    panel = as_panel(panel)
    require_columns(
        list(delistings.columns), ["asset", "date", "delisting_return"], "Delistings"
    )  # fmt: skip
    require_columns(panel.columns, [ret], "include_delistings")
    table = delistings[["asset", "date", "delisting_return"]].copy()
    table["date"] = pd.to_datetime(table["date"])
    given = table["delisting_return"].to_numpy(dtype=np.float64)
    found = Violations("Delistings")
    twice = table["asset"].duplicated()
    found.require(
        not twice.any(),
        "Each asset is delisted once",
        count=int(twice.sum()),
        first=str(table["asset"][twice].iloc[0]) if twice.any() else "",
    )
    low = given < -1.0
    found.require(
        not low.any(),
        "Delisting returns are at least -1",
        count=int(low.sum()),
        first=str(table["asset"].iloc[int(low.argmax())]) if low.any() else "",
        remedy="Give them in decimals",
    )
    found.raise_if_any()
    filled = np.isnan(given)
    value = given if default is None else np.where(filled, default, given)
    code = np.searchsorted(panel.dates.to_numpy(), table["date"].to_numpy(), side="left")
    asset = panel.assets.get_indexer(pd.Index(table["asset"])).astype(np.int64)
    begins = panel.dates[0].to_period(panel.freq).start_time  # What came before is not its return.
    inside = (table["date"] >= begins).to_numpy() & (code < len(panel.dates))
    use = ~np.isnan(value) & inside & (asset >= 0)
    rows = panel.lookup(code.astype(np.int64), asset)
    old = panel.values(ret)
    new = old.copy()
    there = use & (rows >= 0)
    before = np.where(np.isnan(old[rows[there]]), 0.0, old[rows[there]])
    new[rows[there]] = (1.0 + before) * (1.0 + value[there]) - 1.0
    notes = _notes(len(table), use, there, filled, default)
    frame = panel.assign({ret: new}).frame
    added = use & ~there
    if added.any():
        index = pd.MultiIndex.from_arrays(
            [panel.dates[code[added]], panel.assets[asset[added]]], names=["date", "asset"]
        )
        frame = pd.concat([frame, pd.DataFrame({ret: value[added]}, index=index)])
    return Panel(frame, freq=panel.freq, notes=[*panel.notes, *notes])


def _notes(
    of: int,
    use: np.ndarray[tuple[int], np.dtype[np.bool_]],
    there: np.ndarray[tuple[int], np.dtype[np.bool_]],
    filled: np.ndarray[tuple[int], np.dtype[np.bool_]],
    default: float | None,
) -> list[Note]:
    counts = (
        ("delisting returns in a period with a return", there, "compounded"),
        ("delisting returns in a period without a row", use & ~there, "added as a row"),
        ("delisting returns missing", use & filled, f"set to {default}"),
        ("delistings without a return, or outside the panel", ~use, "left out"),
    )
    return [
        Note(rule, int(mask.sum()), of, "", action, "portfolio")
        for rule, mask, action in counts
        if mask.any()
    ]
