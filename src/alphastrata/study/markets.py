"""The data stage: a market panel, the factors to test against, and characteristics beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pandas as pd

from alphastrata import data, features, portfolio
from alphastrata.core import FactorReturns, Panel
from alphastrata.core.faults import Fault, SettingError, refuse
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import BenchmarkConfig, DataConfig, StudyConfig

# What portfolios need of daily data; statements stay on the monthly panel.
_DAILY_COLUMNS = ("ret", "price", "volume", "market_cap", "exchange", "industry")


def market(config: DataConfig, folder: Path | None, seed: int) -> Artefacts:
    """Return the market panel, the daily one where it is asked for, and the planted truth."""
    if config.source == "simulated":
        size = config.simulation
        simulated = data.simulate_market(size.n_assets, size.start, size.periods, seed=seed)
        truth = simulated.truth
        return {
            "panel": simulated.panel,
            "truth_expected": truth.expected_alpha.rename("expected").to_frame(),
            "truth_betas": truth.betas,
            "truth_labels": truth.labels.astype("Int64").rename("label").to_frame(),
            "truth_premia": {name: float(value) for name, value in truth.premia.items()},
        }
    if folder is None:
        said = f'"{config.source}" reads a folder; say --data FOLDER'
        raise SettingError([Fault(("data", "source"), said)])
    if config.source == "crsp_compustat":
        return {"panel": _crsp_compustat(config, folder).between(*config.bounds)}
    source = None if config.source == "panel" else config.source
    out: Artefacts = {}
    frequencies: dict[str, Literal["M", "D"]] = {"panel": "M", "daily": "D"}
    for name, freq in frequencies.items():
        if freq == "D" and not config.daily:
            continue
        panel = data.read_panel(folder, freq=freq, source=source, lag=config.lag)
        if config.start or config.end:
            panel = panel.between(config.start, config.end)
        if freq == "D":
            panel = panel.select([c for c in _DAILY_COLUMNS if c in panel.columns])
        out[name] = panel
    return out


def _crsp_compustat(config: DataConfig, folder: Path) -> Panel:
    """Return the panel of two parquet tables in the vendors' shape."""
    for name in (config.crsp, config.compustat):
        if not (folder / name).is_file():
            key = "crsp" if name == config.crsp else "compustat"
            said = f"there is no table {folder / name}; name the tables with crsp and compustat"
            raise SettingError([Fault(("data", key), said)])
    return portfolio.crsp_compustat(
        pd.read_parquet(folder / config.crsp), pd.read_parquet(folder / config.compustat)
    )


def benchmark_files(config: BenchmarkConfig, folder: Path | None) -> list[Path]:
    """Return the files that a benchmark reads; names of the library and "bundled" are none.

    Raises
    ------
    SettingError
        When a file is not where the study says, relative to the data folder.
    """
    found = []
    for name in _named(config):
        path = (folder or Path()) / name
        if path.is_file():
            found.append(path)
        elif _is_path(name):
            said = (
                f"{config.name} reads {name!r}, relative to the data folder, and there is no file "
                f"{path}. Mend the path, name a file of Kenneth French's library (`alphastrata "
                'list factors`), or say "bundled" (monthly Mkt-RF, SMB, HML and Mom)'
            )
            raise SettingError([Fault(("source",), said)])
    return found


def library_names(config: BenchmarkConfig, folder: Path | None) -> list[str]:
    """Return the names of Kenneth French's library that a benchmark reads."""
    files = [name for name in _named(config) if not ((folder or Path()) / name).is_file()]
    return [name for name in files if not _is_path(name)]


def _named(config: BenchmarkConfig) -> list[str]:
    if config.source == "bundled":
        return []
    return [config.source] if isinstance(config.source, str) else list(config.source)


def _is_path(name: str) -> bool:
    """Return whether a name can only be that of a file."""
    return Path(name).suffix.lower() in (".zip", ".csv", ".txt") or len(Path(name).parts) > 1


def benchmark(
    config: BenchmarkConfig, folder: Path | None, editions: data.Store | None = None
) -> FactorReturns:
    """Return the factors of one benchmark, joined from its files."""
    parts = [data.bundled_factors(config.frequency)] if config.source == "bundled" else []
    for name in _named(config):
        path = (folder or Path()) / name
        parts.append(
            data.french(
                path if path.is_file() else name,
                frequency=config.frequency,
                vintage=config.vintage,
                store=editions,
            )
        )
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part)
    there = ", ".join(joined.factors)
    refuse(
        Fault(("factors",), f"{name!r} is not in the files; there are {there}")
        for name in config.factors
        if name not in joined.factors
    )
    return joined.select(config.factors)


def characteristics(
    config: StudyConfig, panel: Panel, daily: Panel | None, editions: data.Store | None = None
) -> Panel:
    """Return the market with every characteristic and macro series that the study names."""
    missing = [name for name in config.characteristics if name not in panel.columns]
    cannot = features.obstacles(panel, missing, daily=daily)
    refuse(Fault(at, cannot[name]) for at, name in config.characteristic_uses if name in cannot)
    if missing:
        panel = panel.join(features.compute(panel, missing, daily=daily))
    for wanted in config.macro:
        series = data.macro_series(
            wanted.series,
            transform=wanted.transform,
            frequency=wanted.frequency,
            release_lag_days=wanted.release_lag_days,
            store=editions,
        )
        series = series.set_axis([wanted.column, "known_at"], axis=1)
        panel = features.join_macro(
            panel, series, interact={own: [wanted.column] for own in wanted.interact}
        )
    return panel
