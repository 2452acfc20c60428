"""Folders of files in, panels out."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from alphastrata.core.panel import Panel
from alphastrata.data import nyse, pystock
from alphastrata.data.assembly import assemble
from alphastrata.data.canonical import (
    find_table,
    read_canonical,
    read_from_mapping,
    write_canonical,
)
from alphastrata.data.lags import Age, Lag
from alphastrata.data.mapping import MAPPING
from alphastrata.data.vetting import vet
from alphastrata.errors import ConfigError, InputDataError, LookAheadError

__all__ = ["read_panel", "write_panel"]

LAYOUTS = {"nyse": nyse.FILES, "pystock": pystock.FILES}


def read_panel(
    folder: str | Path,
    *,
    freq: Literal["D", "M"] = "M",
    source: str | None = None,
    lag: Lag | None = None,
    max_age: Age | None = "18M",
) -> Panel:
    """Return the market in a folder of files, with statements as they were known at each date.

    Parameters
    ----------
    folder
        A folder in one of the known layouts:

        * "canonical": ``market`` (``date``, ``asset``, ``ret``, ``price``, ...) and optionally
          ``statements`` (``asset``, ``period_end``, ``known_at``, ...), each as ``.parquet``,
          ``.csv``, ``.csv.gz`` or ``.feather``, with the canonical column names;
        * "mapped": a ``mapping.toml`` that says what the columns of any tables mean;
        * "nyse": ``fundamentals.csv.gz``, ``securities.csv``, ``prices_daily.parquet``;
        * "pystock": ``reports.parquet``, ``prices_daily.parquet``.
    freq
        "M": rows at month ends, daily returns compounded, price and market cap of the last
        session; "D": a row per session.
    source
        Name of the layout; found out from the files when None.
    lag
        Declared lag after the period's end, such as "4M"; needed where statements carry no filing
        date. With filing dates the later of the two counts.
    max_age
        Statements whose period ended longer ago than this are not shown; None for no limit.

    Returns
    -------
    Panel
        Canonical columns. ``panel.notes`` counts everything that was dropped, imputed or
        replaced, with the first offender, and what the quick checks of `health` found: returns in
        per cent or below -100%, prices or market caps below zero, dates in the future. Returns
        below -100% and market caps below zero are set missing.

    Raises
    ------
    LookAheadError
        Nothing says when statements became known.
    ConfigError
        The folder's layout is unknown, or the frequency does not fit it.
    InputDataError
        The folder does not exist, or its tables cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> from alphastrata.data import simulate_market
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_panel(simulate_market(20, periods=12).panel, folder)
    ...     read_panel(folder).freq
    'M'
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputDataError(f"There is no folder {str(place)!r}. Check the path.")
    if freq not in ("D", "M"):
        raise ConfigError(f'A panel is read with freq "D" or "M"; got {freq!r}.')
    layout = _layout(place) if source is None else source
    if layout == "canonical":
        return read_canonical(place, freq=freq, lag=lag, max_age=max_age)
    if layout == "mapped":
        return read_from_mapping(place, freq=freq, lag=lag, max_age=max_age)
    if layout not in LAYOUTS:
        known = ", ".join(["canonical", "mapped", *LAYOUTS])
        raise ConfigError(f"Unknown source {layout!r}. Choose from {known}.")
    absent = [name for name in LAYOUTS[layout] if not (place / name).is_file()]
    if absent:
        raise InputDataError(
            f"The layout {layout!r} needs {', '.join(LAYOUTS[layout])}; {len(absent)} missing in "
            f"{str(place)!r}. First: {absent[0]}."
        )
    if layout == "nyse":
        if lag is None:
            raise LookAheadError(
                "The statements in the layout 'nyse' carry no filing date, so nothing says when "
                'they became known. Declare a lag, such as lag="4M" (four months after the '
                "period's end)."
            )
        return vet(assemble(nyse.read_nyse(place), freq=freq, lag=lag, max_age=max_age))
    return vet(assemble(pystock.read_pystock(place), freq=freq, lag=lag, max_age=max_age))


def _layout(folder: Path) -> str:
    if (folder / MAPPING).is_file():
        return "mapped"
    for name, needed in LAYOUTS.items():
        if all((folder / file).is_file() for file in needed):
            return name
    if find_table(folder, "market") is not None:
        return "canonical"
    seen = sorted(path.name for path in folder.iterdir())[:8]
    wanted = "; ".join(f"{name}: {', '.join(files)}" for name, files in LAYOUTS.items())
    raise ConfigError(
        f"{str(folder)!r} has no layout that is known here. It holds "
        f"{', '.join(seen) or 'nothing'}. "
        f"Put a table called market.parquet or market.csv there, or a {MAPPING}, or use one of: "
        f"{wanted}."
    )


def write_panel(
    panel: Panel,
    folder: str | Path,
    *,
    statements: pd.DataFrame | None = None,
    format: Literal["parquet", "csv"] = "parquet",
) -> None:
    """Write a panel into a folder that :func:`read_panel` reads back, bit for bit.

    Parameters
    ----------
    panel
        Becomes ``market.parquet`` or ``market.csv``.
    folder
        Made where it does not exist.
    statements
        Publications with ``asset``, ``period_end``, ``known_at``; then ``panel`` should hold the
        market's own columns only.
    format
        "parquet" or "csv".

    Raises
    ------
    ConfigError
        Another format.
    """
    if format not in ("parquet", "csv"):
        raise ConfigError(f'A panel is written as "parquet" or "csv"; got {format!r}.')
    write_canonical(panel, Path(folder), statements=statements, suffix=f".{format}")
