"""Numbers, dates and names as a reader wants to see them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

import numpy as np
import pandas as pd

from alphastrata.report.records import Format

__all__ = ["MISSING", "decimals_for", "formatter", "is_missing", "is_numeric", "show", "slug"]

MISSING = "–"
_MINUS = "\u2212"


def is_numeric(column: pd.Series) -> bool:
    """Return whether a column is set flush right: numbers, not booleans, dates or text.

    Parameters
    ----------
    column : Series

    Examples
    --------
    >>> is_numeric(pd.Series([1.0, 2.0])), is_numeric(pd.Series([True]))
    (True, False)
    """
    kind = column.dtype
    return bool(pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind))


def is_missing(value: object) -> bool:
    """Return whether a single value stands for "not known".

    Examples
    --------
    >>> is_missing(float("nan")), is_missing(pd.NaT), is_missing("")
    (True, True, False)
    """
    if value is None or value is pd.NA or value is pd.NaT:
        return True
    if isinstance(value, np.datetime64):
        return bool(np.isnat(value))
    return isinstance(value, float | np.floating) and math.isnan(value)


def decimals_for(column: pd.Series) -> int:
    """Return how many decimals a column needs: three digits of its largest, two of its small.

    Parameters
    ----------
    column : Series of numbers

    Returns
    -------
    int
        0 to 6. "Small" is the lower quartile of the sizes that are not zero.

    Examples
    --------
    >>> decimals_for(pd.Series([0.5, 0.1])), decimals_for(pd.Series([1200.0, 350.0]))
    (3, 0)
    >>> decimals_for(pd.Series([1.0, 0.004, 0.003]))
    4
    """
    values = np.abs(pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan))
    values = values[np.isfinite(values) & (values > 0)]
    if not values.size:
        return 2
    for_largest = 2 - math.floor(math.log10(float(values.max())))
    for_small = 1 - math.floor(math.log10(float(np.quantile(values, 0.25))))
    return int(min(max(for_largest, for_small, 0), 6))


def _number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return "∞" if value > 0 else _MINUS + "∞"
    text = f"{value:,.{decimals}f}"
    if text.strip("-0.,") == "":
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def show(value: object, style: Format | None = None, *, decimals: int = 2) -> str:
    """Return a value as text: a true minus sign, thousands apart, a dash where it is missing.

    Parameters
    ----------
    value : object
        Number, date, text or missing.
    style : {"number", "percent", "integer", "pvalue", "text", "date"}, optional
        None: by the value's type.
    decimals : int
        Decimals of numbers and percentages.

    Examples
    --------
    >>> show(-0.0123, "percent"), show(1234567, "integer"), show(0.0002, "pvalue"), show(None)
    ('−1.23%', '1,234,567', '<0.001', '–')
    """
    if is_missing(value):
        return MISSING
    if isinstance(value, pd.Period | pd.Timestamp | np.datetime64) or style == "date":
        return _date(value)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.integer | np.floating) and style != "text":
        return _styled(float(value), style, decimals, whole=isinstance(value, int | np.integer))
    return str(value)


def _date(value: object) -> str:
    stamp = pd.Timestamp(str(value)) if not isinstance(value, pd.Timestamp) else value
    return stamp.strftime("%Y-%m-%d") if stamp == stamp.normalize() else str(stamp)


def _styled(value: float, style: Format | None, decimals: int, *, whole: bool) -> str:
    if style == "percent":
        return _number(100.0 * value, decimals) + ("%" if math.isfinite(value) else "")
    if style == "pvalue":
        return "<0.001" if value < 0.001 else _number(value, 3)
    if style == "integer" or (style is None and whole):
        return _number(value, 0)
    return _number(value, decimals)


def formatter(column: pd.Series, style: Format | None = None) -> Callable[[object], str]:
    """Return the function that prints one column, so that its decimals line up.

    Parameters
    ----------
    column : Series
    style : Format, optional
        None: by the column's type.

    Examples
    --------
    >>> show_it = formatter(pd.Series([0.5, 0.0123]))
    >>> show_it(0.0123)
    '0.012'
    """
    if style is None and is_numeric(column):
        values = column.to_numpy(dtype=float, na_value=np.nan)
        finite = values[np.isfinite(values)]
        style = "integer" if finite.size and bool((finite == np.round(finite)).all()) else "number"
    decimals = decimals_for(column) if style == "number" and is_numeric(column) else 2
    return lambda value: show(value, style, decimals=decimals)


def slug(text: Hashable) -> str:
    """Return a text as a safe anchor: letters, digits and hyphens of ASCII alone.

    Characters outside are written by their number, so that two keys never share an anchor.

    Examples
    --------
    >>> slug("inputs/prices.csv")
    'inputs-2f-prices-2e-csv'
    """
    out = [c if c.isascii() and c.isalnum() else f"-{ord(c):x}-" for c in str(text)]
    return "".join(out).strip("-").replace("--", "-") or "empty"
