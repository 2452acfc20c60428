"""Columns that must hold numbers, and what stands in them instead."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.data.fields import field_kinds

__all__ = ["canonical_numbers", "read_numbers", "require_numbers"]

MARKET = ("ret", "price", "volume", "shares", "market_cap")
STATEMENT = ("dividends", "cash_flow", "period_end_age", "known_age")


@cache
def canonical_numbers() -> frozenset[str]:
    """Return the canonical columns that are numbers: those of fields.csv, and the market's own.

    Examples
    --------
    >>> "sales" in canonical_numbers(), "industry" in canonical_numbers()
    (True, False)
    """
    kinds = field_kinds()
    own = kinds.index[~kinds.isin(["meta", "check"])]
    return frozenset([*map(str, own), *MARKET, *STATEMENT])


def read_numbers(values: pd.Series, found: Violations) -> pd.Series[float]:
    """Return float64, an empty field being missing; what is no number is recorded.

    Parameters
    ----------
    values
        Numbers, or text of numbers with a decimal point. ``1,000``, ``n/a`` and ``-`` are refused:
        a missing value is an empty field.
    found
        Collects what is wrong.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype(np.float64)
    plain = values.astype(object)
    text = plain.astype(str).str.strip()
    empty = plain.isna() | text.str.lower().isin(["", "nan"])
    numbers = pd.to_numeric(plain.where(~empty), errors="coerce").astype(np.float64)
    bad = numbers.isna() & ~empty
    if bool(bad.any()):
        found.add(
            f"Each {str(values.name)!r} must be a number or empty",
            count=int(bad.sum()),
            first=repr(text[bad].iloc[0]),
            remedy=(
                "Write numbers without thousands separators, with a decimal point, and leave "
                "missing ones empty"
            ),
        )
    return numbers


def require_numbers(table: pd.DataFrame, found: Violations) -> pd.DataFrame:
    """Return the table with every canonical numeric column as float64, recording what is none."""
    due = [name for name in table.columns if name in canonical_numbers()]
    wrong = [n for n in due if not pd.api.types.is_numeric_dtype(table[n].dtype)]
    return table.assign(**{name: read_numbers(table[name], found) for name in wrong})
