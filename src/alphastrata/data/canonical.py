"""Layout "canonical": a user's own files, with the canonical column names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata.core.checks import Note, Violations
from alphastrata.core.panel import Panel
from alphastrata.data.asof import as_of
from alphastrata.data.assembly import sort_prices
from alphastrata.data.clocks import read_clock
from alphastrata.data.daily import close_changes, month_rows
from alphastrata.data.lags import Age, Lag
from alphastrata.data.mapping import MAPPING, read_mapped, read_mapping
from alphastrata.data.numbers import canonical_numbers, read_numbers, require_numbers
from alphastrata.data.tables import read_binary, read_csv
from alphastrata.data.vetting import vet
from alphastrata.errors import ConfigError

__all__ = ["find_table", "read_canonical", "read_from_mapping", "write_canonical"]

SUFFIXES = (".parquet", ".csv", ".csv.gz", ".feather", ".ftr")
CATEGORIES = ("exchange", "industry")
CLOCKS = ("date", "period_end", "known_at")


def find_table(folder: Path, stem: str) -> Path | None:
    """Return the table called ``stem`` in a folder, or None.

    Raises
    ------
    ConfigError
        Two files of that name, as a CSV beside a parquet: which one counts is not for us to say.
    """
    found = [folder / f"{stem}{suffix}" for suffix in SUFFIXES]
    found = [path for path in found if path.is_file()]
    if len(found) > 1:
        names = " and ".join(path.name for path in found)
        raise ConfigError(f"{folder} holds {names}; keep the one that counts.")
    return found[0] if found else None


def read_canonical(folder: Path, *, freq: str, lag: Lag | None, max_age: Age | None) -> Panel:
    """Return the panel of a folder with ``market`` and, optionally, ``statements``.

    Parameters
    ----------
    folder
        Holds ``market`` (``date``, ``asset``, ``ret``, ``price``, ...) and perhaps ``statements``
        (``asset``, ``period_end``, ``known_at``, ...), as parquet, CSV or feather.
    freq, lag, max_age
        See :func:`alphastrata.data.read_panel`.
    """
    path = find_table(folder, "market")
    if path is None:
        raise ConfigError(f"{folder} holds no table called market; one of {SUFFIXES} is needed.")
    other = find_table(folder, "statements")
    statements = None if other is None else read_table(other)
    return panel_of(read_table(path), statements, freq=freq, lag=lag, max_age=max_age)


def read_from_mapping(folder: Path, *, freq: str, lag: Lag | None, max_age: Age | None) -> Panel:
    """Return the panel of a folder with a ``mapping.toml``; arguments as in `read_canonical`."""
    tables = read_mapping(folder / MAPPING)
    market = read_mapped(folder, tables["market"])
    notes: list[Note] = []
    if tables["market"].returns == "close":
        market, notes = _returns_from_closes(market)
    statements = None
    if "statements" in tables:
        statements = read_mapped(folder, tables["statements"])
        lag = tables["statements"].lag if lag is None else lag
    return panel_of(market, statements, freq=freq, lag=lag, max_age=max_age, notes=notes)


def _returns_from_closes(market: pd.DataFrame) -> tuple[pd.DataFrame, list[Note]]:
    if "price" not in market.columns:
        raise ConfigError('returns = "close" needs a column mapped to price.')
    prices, notes = sort_prices(market)
    prices["ret"] = close_changes(prices)
    rule = 'Returns are given; returns = "close"'
    done = "computed from closes, which must be adjusted for splits"
    notes.append(Note(rule, len(prices), len(prices), "", done, "data"))
    return prices.assign(asset=prices["asset"].astype(str)), notes


def panel_of(
    market: pd.DataFrame,
    statements: pd.DataFrame | None,
    *,
    freq: str,
    lag: Lag | None,
    max_age: Age | None,
    notes: Sequence[Note] = (),
) -> Panel:
    """Return the panel of tables under canonical names, daily rows made months where asked for."""
    panel = vet(Panel(market, notes=notes))
    if panel.freq == "D" and freq == "M":
        panel = _to_months(panel)
    if panel.freq != freq:
        raise ConfigError(
            f'The market table is of frequency "{panel.freq}"; it cannot be read as "{freq}". '
            f'Ask for freq="{panel.freq}".'
        )
    if statements is None:
        return panel
    return as_of(panel, statements, lag=lag, max_age=max_age)


def read_table(path: Path) -> pd.DataFrame:
    """Return a table with text assets and parsed dates.

    ``NA``, ``ON`` and ``00123E10`` are assets like any other: in CSV files nothing but an empty
    field is missing, and assets are never read as numbers.
    """
    table = _load(path)
    problems = Violations(path.name)
    problems.require(
        "asset" in table.columns, "A table needs a column 'asset'",
        remedy="Rename the column that identifies securities.",
    )  # fmt: skip
    problems.require(
        table.columns.is_unique, "Each column appears once",
        count=int(table.columns.duplicated().sum()), remedy="Rename the repeated columns",
    )  # fmt: skip
    problems.require(len(table) > 0, "A table has at least one row", remedy="Export it again")
    problems.raise_if_any()
    for name in CLOCKS:
        if name in table.columns:
            table[name] = read_clock(table[name], problems)
    table = require_numbers(table, problems)
    problems.raise_if_any()
    missing = table["asset"].isna() | (table["asset"] == "")
    return table.assign(asset=table["asset"].astype(str).where(~missing))


def _load(path: Path) -> pd.DataFrame:
    if path.name.endswith((".csv", ".csv.gz")):
        # Dates as text: 20150131 is a date, and a number would not be one.
        table = read_csv(path, dtype=dict.fromkeys(("asset", *CATEGORIES, *CLOCKS), str))
        if "asset" in table.columns:
            for name in table.columns.difference(["asset", *CLOCKS]):
                table[name] = _numbers_or_text(table[name], path)
        return table
    table = read_binary(path)
    return table.reset_index() if isinstance(table.index, pd.MultiIndex) else table


def _numbers_or_text(values: pd.Series, path: Path) -> pd.Series:
    """Parse numbers, an empty field being missing; a column without any number is text.

    A column that mixes numbers and text is refused, and so is text where a number must stand.
    """
    if values.name in CATEGORIES:
        return values.where(values != "")
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype(np.float64)
    problems = Violations(path.name)
    numbers = read_numbers(values, problems)
    text = problems.messages and not bool(numbers.notna().any())
    if text and values.name not in canonical_numbers():
        return values.where(values != "")
    problems.raise_if_any()
    return numbers


def _to_months(panel: Panel) -> Panel:
    problems = Violations("market")
    for name in ("ret", "price"):
        problems.require(
            name in panel.columns, f"Daily rows need a column {name!r} to become months"
        )
    problems.raise_if_any(ConfigError)
    daily = panel.frame.reset_index().sort_values(["asset", "date"], kind="stable")
    daily["asset"] = pd.Categorical(daily["asset"], categories=panel.assets)
    rows, notes = month_rows(daily.reset_index(drop=True))
    return Panel(rows.astype({"asset": str}), freq="M", notes=[*panel.notes, *notes])


def write_canonical(
    panel: Panel, folder: Path, *, statements: pd.DataFrame | None, suffix: str
) -> None:
    """Write a panel, and statements beside it, as tables that :func:`read_canonical` reads back."""
    folder.mkdir(parents=True, exist_ok=True)
    tables = {"market": panel.frame.reset_index()}
    if statements is not None:
        tables["statements"] = statements
    for stem, table in tables.items():
        path = folder / f"{stem}{suffix}"
        if suffix == ".parquet":
            table.to_parquet(path, index=False)
        else:
            table.to_csv(path, index=False, date_format="%Y-%m-%d", float_format="%.17g")
