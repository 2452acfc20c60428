"""Layout "mapped": any tables, told what is what by a small ``mapping.toml`` beside them."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from alphastrata.core.checks import Violations
from alphastrata.data.clocks import formatted_clock, read_clock
from alphastrata.data.lags import Lag
from alphastrata.data.numbers import canonical_numbers, read_numbers
from alphastrata.data.tables import CSV_SUFFIXES, read_binary, read_csv
from alphastrata.errors import ConfigError

__all__ = ["MAPPING", "Table", "read_mapped", "read_mapping"]

MAPPING = "mapping.toml"
SECTIONS = {"market": ("date",), "statements": ("period_end", "known_at")}
OPTIONAL = ("known_at",)
KEYS = ("files", "asset", "date_format", "missing", "returns", "columns", "lag")


@dataclass(frozen=True)
class Field:
    """A vendor's column and the factor that turns it into the canonical one."""

    name: str
    scale: float = 1.0


@dataclass(frozen=True)
class Table:
    """How one table is read.

    Attributes
    ----------
    files
        Names; several are joined on asset and date (or period end).
    asset, dates
        The vendor's column of asset identifiers, and of each clock by its canonical name.
    columns
        Canonical name -> vendor's column and scale.
    date_format
        ``strptime`` format of the dates; ISO when empty.
    missing
        Numbers that mean "missing".
    returns
        "given", or "close": returns are the changes of ``price``.
    lag
        Declared lag of statements, or None.
    """

    files: tuple[str, ...]
    asset: str
    dates: Mapping[str, str]
    columns: Mapping[str, Field]
    date_format: str = ""
    missing: tuple[float, ...] = ()
    returns: str = "given"
    lag: Lag | None = None


def read_mapping(path: Path) -> dict[str, Table]:
    """Return the tables that a ``mapping.toml`` describes, "market" and perhaps "statements".

    Raises
    ------
    ConfigError
        The file is no TOML, or sections, keys or types in it are not those described in
        ``docs/data.md``; all at once.
    """
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path.name} is not UTF-8: {error}. Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path.name} is no valid TOML: {error}.") from error
    found = Violations(path.name)
    unknown = sorted(set(raw) - set(SECTIONS))
    found.require(
        not unknown, "Sections are [market] and [statements]", count=len(unknown),
        first=unknown[0] if unknown else "", remedy="Remove or rename it",
    )  # fmt: skip
    found.require("market" in raw, "There is a section [market]", remedy="Add it")
    tables = {
        name: _table(name, raw[name], found) for name in SECTIONS if isinstance(raw.get(name), dict)
    }
    found.raise_if_any(ConfigError)
    return tables


def _table(section: str, raw: dict[str, Any], found: Violations) -> Table:
    clocks = SECTIONS[section]
    unknown = sorted(set(raw) - {*KEYS, *clocks})
    found.require(
        not unknown, f"[{section}] has only known keys", count=len(unknown),
        first=unknown[0] if unknown else "", remedy=f"Known are {', '.join((*KEYS, *clocks))}",
    )  # fmt: skip
    for key in ("files", "asset", "columns", *(c for c in clocks if c not in OPTIONAL)):
        found.require(key in raw, f"[{section}] says {key}", remedy=f"Add {key} = ...")
    one = isinstance(raw.get("files"), str)
    files = raw["files"] if one else _typed(section, raw, "files", [], found)
    returns = raw.get("returns", "given")
    found.require(
        returns in ("given", "close"), f'[{section}] returns is "given" or "close"',
        first=repr(returns),
    )  # fmt: skip
    missing = _typed(section, raw, "missing", [], found)
    columns = {}
    for name, value in _typed(section, raw, "columns", {}, found).items():
        columns[name] = _field(section, name, value, found)
    return Table(
        files=(files,) if one else tuple(files),
        asset=str(raw.get("asset", "")),
        dates={clock: str(raw[clock]) for clock in clocks if clock in raw},
        columns=columns,
        date_format=str(raw.get("date_format", "")),
        missing=tuple(float(code) for code in missing),
        returns=str(returns),
        lag=raw.get("lag"),
    )


def _typed(section: str, raw: dict[str, Any], key: str, usual: Any, found: Violations) -> Any:
    """Return a list (of numbers for "missing", else of names) or a table, or what is usual."""
    value = raw.get(key, usual)
    inside = (int, float) if key == "missing" else str
    ok = isinstance(value, type(usual))
    if ok and isinstance(value, list):
        ok = all(isinstance(item, inside) for item in value)
    wanted = {"missing": "a list of numbers", "files": "a name or a list of names"}
    found.require(
        ok, f"[{section}] {key} is {wanted.get(key, 'a table of columns')}", first=repr(value)
    )
    return value if ok else usual


def _field(section: str, name: str, value: object, found: Violations) -> Field:
    if isinstance(value, str):
        return Field(value)
    if isinstance(value, dict) and "field" in value and set(value) <= {"field", "scale"}:
        return Field(str(value["field"]), float(value.get("scale", 1.0)))
    found.add(
        f"[{section}.columns] maps {name!r} to a column's name, or to {{field, scale}}",
        first=repr(value),
    )
    return Field("")


def read_mapped(folder: Path, table: Table) -> pd.DataFrame:
    """Return one mapped table under canonical names.

    Parameters
    ----------
    folder
        Holds the files.
    table
        From :func:`read_mapping`.

    Returns
    -------
    pandas.DataFrame
        ``asset`` (text), the clocks as dates, and the mapped columns: numbers, missing codes made
        missing before they are scaled, or text.

    Raises
    ------
    InputDataError
        Files or columns are absent, keys repeat, dates or numbers cannot be read.
    """
    clock = next(iter(table.dates.values()))
    found = Violations(f"{MAPPING} in {folder.name}")
    parts = []
    for name in table.files:
        path = folder / name
        found.require(path.is_file(), f"There is a file {name!r}", remedy="Check the name")
        if path.is_file():
            parts.append(_texts(path))
    found.raise_if_any()
    keys = [table.asset, clock]
    joined = parts[0]
    for name, part in zip(table.files, parts, strict=True):
        absent = [key for key in keys if key not in part.columns]
        found.require(
            not absent, f"{name} has the columns {keys}", count=len(absent),
            first=absent[0] if absent else "", remedy=f"It has {list(part.columns[:12])}",
        )  # fmt: skip
    found.raise_if_any()
    for name, part in zip(table.files[1:], parts[1:], strict=True):
        repeated = part.duplicated(keys)
        found.require(
            not bool(repeated.any()), f"{name} has one row per {keys}",
            count=int(repeated.sum()), remedy="Drop repeats before joining",
        )  # fmt: skip
        found.raise_if_any()
        fresh = [c for c in part.columns if c in keys or c not in joined.columns]
        joined = joined.merge(part[fresh], on=keys, how="outer")
    return _canonical(joined, table, found)


def _canonical(raw: pd.DataFrame, table: Table, found: Violations) -> pd.DataFrame:
    wanted = [*table.dates.values(), *(field.name for field in table.columns.values())]
    absent = [name for name in wanted if name not in raw.columns]
    found.require(
        not absent, "Every mapped column is in the files", count=len(absent),
        first=absent[0] if absent else "", remedy=f"They have {list(raw.columns[:20])}",
    )  # fmt: skip
    found.raise_if_any()
    nameless = raw[table.asset].isna() | (raw[table.asset].astype(str) == "")
    found.require(
        not bool(nameless.any()), "Every row has an asset", count=int(nameless.sum()),
        first=f"row {np.flatnonzero(nameless)[:1]}", remedy="Drop these rows or fill them",
    )  # fmt: skip
    out: dict[str, Any] = {"asset": raw[table.asset].astype(str)}
    for clock, name in table.dates.items():
        dated = pd.api.types.is_datetime64_any_dtype(raw[name].dtype)
        if table.date_format and not dated:
            out[clock] = formatted_clock(raw[name], table.date_format, found)
        else:
            out[clock] = read_clock(raw[name], found)
    for name, field in table.columns.items():
        out[name] = _values(raw[field.name], name, field, table.missing, found)
    found.raise_if_any()
    return pd.DataFrame(out)


def _texts(path: Path) -> pd.DataFrame:
    """Read a table; of a CSV everything is text, so that the asset NA stays one."""
    if path.name.endswith(CSV_SUFFIXES):
        return read_csv(path, dtype=str)
    table = read_binary(path)
    return table.reset_index() if any(table.index.names) else table


def _values(
    values: pd.Series,
    name: str,
    field: Field,
    missing: tuple[float, ...],
    found: Violations,
) -> pd.Series:
    """Numbers times their scale, or text where none must stand and no value is a number."""
    due = name in canonical_numbers()
    if isinstance(values.dtype, pd.CategoricalDtype) and not due:
        return values
    wrong = Violations("")
    number = read_numbers(values, wrong)
    if wrong.messages and not due and not bool(number.notna().any()):
        text = values.astype(str).str.strip()
        return text.where(values.notna() & (text != ""))
    found.messages += wrong.messages
    coded = number.isin(missing) | np.isinf(number)
    return number.where(~coded) * field.scale
