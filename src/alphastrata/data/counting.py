"""Notes about rows: what rule, how many, which first, what was done."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Note

__all__ = ["note_rows"]


def note_rows(
    table: pd.DataFrame,
    mask: npt.ArrayLike,
    rule: str,
    action: str,
    *,
    keys: Sequence[str] = ("date", "asset"),
    stage: str = "data",
) -> list[Note]:
    """Return a note on the rows where ``mask`` holds, or an empty list where it never does.

    Parameters
    ----------
    table
        The rows, with the columns in ``keys``.
    mask
        bool[n].
    rule, action
        What the rows break, and what was done with them.
    keys
        Columns that identify the first offender.
    stage
        Where this happened.

    Examples
    --------
    >>> rows = pd.DataFrame({"date": ["2015-01-30"], "asset": ["A"]})
    >>> note_rows(rows, [True], "A price is positive", "dropped")[0].first
    'date=2015-01-30, asset=A'
    """
    hit = np.flatnonzero(np.asarray(mask, dtype=np.bool_))
    if not hit.size:
        return []
    row = table.iloc[int(hit[0])]
    first = ", ".join(f"{key}={_plain(row[key])}" for key in keys)
    return [Note(rule, int(hit.size), len(table), first, action, stage)]


def _plain(value: object) -> str:
    return f"{value:%Y-%m-%d}" if isinstance(value, pd.Timestamp) else str(value)
