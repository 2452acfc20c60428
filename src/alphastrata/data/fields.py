"""The table that maps vendors' fields to canonical columns."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError

__all__ = ["field_kinds", "field_map", "rename_fields"]

KINDS = ("stock", "flow", "cash_flow", "meta", "check")
"""Balance-sheet figure; figure per period; figure since the start of the fiscal year; key or date;
a figure that is compared with the others and not carried."""


@cache
def _table() -> pd.DataFrame:
    path = files("alphastrata.data").joinpath("fields.csv")
    with path.open(encoding="utf-8") as stream:
        return pd.read_csv(stream, dtype={"scale": np.float64}, keep_default_na=False,
                            na_values={"scale": [""]})  # fmt: skip


def field_kinds() -> pd.Series[str]:
    """Return the kind of every canonical column in ``fields.csv``, whatever the source."""
    return _table().drop_duplicates("canonical").set_index("canonical")["kind"]


def field_map(source: str) -> pd.DataFrame:
    """Return how a source's fields become canonical columns.

    Parameters
    ----------
    source
        Name of a source in ``fields.csv``, such as "nyse".

    Returns
    -------
    pandas.DataFrame
        Columns ``vendor_field``, ``canonical``, ``scale`` (canonical = scale x vendor) and
        ``kind`` ("stock", "flow", "cash_flow", "meta" or "check").

    Raises
    ------
    ConfigError
        No such source.

    Examples
    --------
    >>> field_map("nyse").set_index("canonical").loc["capital_expenditures", "scale"].item()
    -1.0
    """
    table = _table()
    rows = table[table["source"] == source].drop(columns="source").reset_index(drop=True)
    if rows.empty:
        known = ", ".join(sorted(table["source"].unique()))
        raise ConfigError(f"No fields are mapped for source {source!r}. Choose from {known}.")
    return rows


def rename_fields(raw: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return the mapped columns of a vendor's table, scaled, under their canonical names.

    Parameters
    ----------
    raw
        The vendor's table.
    source
        See :func:`field_map`.

    Raises
    ------
    InputDataError
        Mapped fields are absent from the table.
    """
    rows = field_map(source)
    absent = [name for name in rows["vendor_field"] if name not in raw.columns]
    problems = Violations(f"{source} statements")
    problems.require(
        not absent,
        "Every mapped field must be in the table",
        count=len(absent),
        first=absent[0] if absent else "",
        remedy="Check that this is the file that fields.csv describes.",
    )
    problems.raise_if_any()
    out = {}
    for field, name, scale in zip(
        rows["vendor_field"], rows["canonical"], rows["scale"], strict=True
    ):
        out[name] = raw[field] if np.isnan(scale) else raw[field].astype(np.float64) * scale
    return pd.DataFrame(out)
