"""Columns of a panel: read from what users hand in, taken by row, gathered where rows exist."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.core.grouping import Int64
from alphastrata.core.keys import ASSET, DATE

Float64 = npt.NDArray[np.float64]
Column = Float64 | pd.Categorical


def _is_number(dtype: Any) -> bool:
    return pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_complex_dtype(dtype)


def _is_category(dtype: Any) -> bool:
    return isinstance(dtype, pd.CategoricalDtype | pd.StringDtype)


def _settle(series: pd.Series, name: object, found: Violations) -> pd.Series | None:
    """Return an object column as numbers or as text; None after recording that it is a mix."""
    if series.dtype != object:
        return series
    series = series.reset_index(drop=True)
    present = series.dropna()
    text = present.map(lambda value: isinstance(value, str)).to_numpy(dtype=bool)
    if not len(present) or not text.any():
        numbers = pd.to_numeric(present, errors="coerce")
        if numbers.notna().all():
            return numbers.astype(np.float64).reindex(series.index)
        return series
    if text.all():
        return series.astype("str")
    few = text if text.sum() <= len(text) / 2 else ~text
    at = int(np.argmax(few))
    found.add(
        f"Column {name!r} holds numbers or text, not both",
        count=int(few.sum()),
        first=f"{present.iloc[at]!r} at {present.index[at]}",
        remedy="Mend these cells, or make them missing (NaN)",
    )
    return None


def read_columns(data: pd.DataFrame, found: Violations) -> dict[str, Column]:
    """Return every column but the keys as float64 or categorical, recording what is wrong."""
    keyed = isinstance(data.index, pd.MultiIndex)
    columns: dict[str, Column] = {}
    names = [c for c in data.columns if keyed or c not in (DATE, ASSET)]
    found.require(
        len(set(names)) == len(names),
        "Column names are unique",
        count=len(names) - len(set(names)),
        remedy="Rename the repeated columns",
    )
    if len(set(names)) < len(names):
        return columns
    for name in names:
        settled = _settle(data[name], name, found)
        if settled is None:
            continue
        series = settled
        if _is_number(series.dtype):
            array = np.array(series.to_numpy(dtype=np.float64, na_value=np.nan))
            infinite = np.isinf(array)
            if infinite.any():
                found.add(
                    f"Column {name!r} has no infinite values",
                    count=int(infinite.sum()),
                    first=f"row {int(np.argmax(infinite))}",
                    remedy="Replace them, e.g. with NaN for a division by zero",
                )
            columns[str(name)] = array
        elif _is_category(series.dtype):
            columns[str(name)] = pd.Categorical(series)
        else:
            found.add(
                f"Column {name!r} holds numbers or categories",
                first=f"dtype {series.dtype}",
                remedy="Convert it (dates, for example, to an age in days) or leave it out",
            )
    return columns


def take(columns: Mapping[str, Column], rows: Int64) -> dict[str, Column]:
    """Return the columns at rows that all exist."""
    return {name: array.take(rows) for name, array in columns.items()}


def gather(columns: Mapping[str, Column], rows: Int64) -> dict[str, Column]:
    """Return the values at ``rows``, missing where the row is -1."""
    out: dict[str, Column] = {}
    for name, array in columns.items():
        if isinstance(array, pd.Categorical):
            out[name] = array.take(rows, allow_fill=True)
        elif array.size:
            out[name] = np.where(rows >= 0, array[rows], np.nan)
        else:
            out[name] = np.full(rows.size, np.nan)
    return out
