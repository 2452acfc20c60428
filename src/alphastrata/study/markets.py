"""The data stage: a market panel, the factors to test against, and characteristics beside them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from alphastrata import data, features
from alphastrata.core import FactorReturns, Panel
from alphastrata.errors import ConfigError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import BenchmarkConfig, DataConfig, StudyConfig

# What portfolios need of daily data; statements stay on the monthly panel.
_DAILY_COLUMNS = ("ret", "price", "volume", "market_cap", "exchange", "industry")


def market(config: DataConfig, folder: Path | None, seed: int) -> Artefacts:
    """Return the market panel, the daily one where it is asked for, and the planted truth."""
    if config.source == "simulated":
        if config.daily:
            raise ConfigError("The simulated market is monthly; set data.daily = false.")
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
        raise ConfigError(f'data.source = "{config.source}" needs a folder; say --data FOLDER.')
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


def benchmark_files(config: BenchmarkConfig, folder: Path | None) -> list[Path]:
    """Return the files that a benchmark reads; none for the bundled factors.

    Raises
    ------
    ConfigError
        When a file is not where the study says, relative to the data folder.
    """
    if config.source == "bundled":
        return []
    named = [config.source] if isinstance(config.source, str) else list(config.source)
    found = []
    for name in named:
        path = (folder or Path()) / name
        if not path.is_file():
            raise ConfigError(
                f"Benchmark {config.name!r} reads {name!r}, relative to the data folder, and "
                f'there is no file {path}. Mend the path, or say source = "bundled" (monthly '
                "Mkt-RF, SMB, HML and Mom)."
            )
        found.append(path)
    return found


def benchmark(config: BenchmarkConfig, folder: Path | None) -> FactorReturns:
    """Return the factors of one benchmark, joined from its files."""
    files = benchmark_files(config, folder)
    if not files:
        return data.bundled_factors(config.frequency).select(config.factors)
    parts = [data.french(path, frequency=config.frequency) for path in files]
    joined = parts[0]
    for part in parts[1:]:
        joined = joined.join(part)
    return joined.select(config.factors)


def characteristics(config: StudyConfig, panel: Panel, daily: Panel | None) -> Panel:
    """Return the market with every characteristic that the study names joined to it."""
    missing = [name for name in config.characteristics if name not in panel.columns]
    return panel.join(features.compute(panel, missing, daily=daily)) if missing else panel
