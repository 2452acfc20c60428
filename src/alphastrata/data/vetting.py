"""What every panel that is read from files is checked for at once."""

from __future__ import annotations

import numpy as np

from alphastrata.core.checks import Note
from alphastrata.core.panel import Panel
from alphastrata.data.health_checks import QUICK, Finding, findings

__all__ = ["vet"]

BLANKED = {"impossible returns": "ret", "negative market caps": "market_cap"}
"""Checks whose rows cannot be true, and the column in which they are set missing."""


def vet(panel: Panel) -> Panel:
    """Return the panel with notes on impossible numbers, the worst of them set missing.

    The rule: a return below -100% and a market cap below zero cannot be, and are set missing,
    before anything is compounded or weighted with them. Everything else that the quick checks of
    `health` find is kept and noted: returns that look like per cent, prices that are not
    positive, several currencies, statements shown too early, dates in the future, a calendar with
    a hole of more than 100 months.

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"date": ["2015-01-31"], "asset": ["A"], "ret": [-1.5]})
    >>> bool(np.isnan(vet(Panel(table)).values("ret")[0]))
    True
    """
    broken = [found for found in findings(panel, QUICK) if found.rows.size]
    if not broken:
        return panel
    columns = {}
    for found in broken:
        name = BLANKED.get(found.check)
        if name is not None:
            values = panel.values(name).copy()
            values[found.rows] = np.nan
            columns[name] = values
    notes = [_note(found, panel) for found in broken]
    return (panel.assign(columns) if columns else panel).with_notes(notes)


def _note(found: Finding, panel: Panel) -> Note:
    row = int(found.rows[0])
    date = panel.dates[panel.date_codes[row]]
    first = f"date={date:%Y-%m-%d}, asset={panel.assets[panel.asset_codes[row]]}"
    action = (
        f"set missing in {BLANKED[found.check]}"
        if found.check in BLANKED
        else f"break this and are kept ({found.remedy.rstrip('.')})"
    )
    return Note(found.rule, int(found.rows.size), found.of, first, action, "data")
