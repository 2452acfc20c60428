"""Delisting returns, before anything is computed from returns."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata import portfolio
from alphastrata.core import Panel
from alphastrata.core.faults import Fault, SettingError
from alphastrata.study.settings import DelistingsConfig

COLUMNS = ("asset", "date", "delisting_return")


def with_delistings(config: DelistingsConfig, panel: Panel, folder: Path | None) -> Panel:
    """Return the panel with delisting returns compounded into the last returns.

    Parameters
    ----------
    config
        Which column, or which table of the data folder.
    panel
        The market.
    folder
        The data folder.

    Raises
    ------
    SettingError
        When there is no such column or file.
    InputDataError
        As `alphastrata.portfolio.include_delistings`.
    """
    table = _of_column(config.column, panel) if config.column else _of_file(config.file, folder)
    return portfolio.include_delistings(panel, table, default=config.default)


def _of_column(column: str, panel: Panel) -> pd.DataFrame:
    """Return one row per value of a column."""
    if column not in panel.columns:
        there = ", ".join(panel.columns)
        said = f"{column!r} is no column of the data; there are {there}. Or say delistings.file"
        raise SettingError([Fault(("delistings", "column"), said)])
    values = panel.values(column)
    rows = np.flatnonzero(~np.isnan(values))
    return pd.DataFrame(
        {
            "asset": panel.assets[panel.asset_codes[rows]],
            "date": panel.dates[panel.date_codes[rows]],
            "delisting_return": values[rows],
        }
    )


def _of_file(name: str | None, folder: Path | None) -> pd.DataFrame:
    path = (folder or Path()) / str(name)
    if not path.is_file():
        said = (
            f"{name!r} is relative to the data folder, and there is no file {path}; it has the "
            f"columns {', '.join(COLUMNS)}"
        )
        raise SettingError([Fault(("delistings", "file"), said)])
    return pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
