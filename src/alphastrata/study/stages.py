"""The stages of a study as pure functions: settings and earlier artefacts in, artefacts out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from alphastrata import data, features, inference, portfolio
from alphastrata.core import FactorReturns, Panel, Strata
from alphastrata.errors import ConfigError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.config import (
    BenchmarkConfig,
    ClusterConfig,
    DataConfig,
    SortConfig,
    StudyConfig,
)
from alphastrata.study.ranks import unit_ranks

# What portfolios need of daily data; statements stay on the monthly panel.
_DAILY_COLUMNS = ("ret", "price", "volume", "market_cap")


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


def sort(config: SortConfig, panel: Panel) -> Artefacts:
    """Return the strata of one characteristic sort."""
    return {
        "strata": portfolio.quantile_sort(
            panel,
            config.by,
            n=config.n,
            breakpoints=config.breakpoints,
            rebalance=config.rebalance,
        )
    }


def spread(
    config: ClusterConfig | SortConfig, strata: Strata, panel: Panel, market: Panel
) -> FactorReturns:
    """Return the long-short factor of one set of strata on the market's dates.

    Parameters
    ----------
    config
        The clustering or the sort.
    strata
        Its labels.
    panel
        Monthly panel, which holds the characteristic that ranks clusters.
    market
        Panel whose returns are earned: the monthly one, or the daily.
    """
    if isinstance(config, SortConfig):
        return portfolio.long_short(
            strata, market, long=config.long, weighting=config.weighting, name=config.name
        )
    # Clusters are ranked by what the monthly panel knew; a daily market carries it forward.
    ranked = market if config.rank_by in market.columns else carried(panel, market, config.rank_by)
    return portfolio.long_short(
        strata, ranked, rank_by=config.rank_by, weighting=config.weighting, name=config.name
    )


def carried(panel: Panel, market: Panel, column: str) -> Panel:
    """Return the market with a slower panel's column as last known on each of its dates.

    A value of the monthly panel at the end of a month is known on days from that month end on.
    """
    last = panel.dates.searchsorted(market.dates, side="right").astype(np.int64) - 1
    assets = np.append(panel.assets.get_indexer(market.assets), -1).astype(np.int64)
    rows = panel.lookup(last[market.date_codes], assets[market.asset_codes])
    values = np.where(rows >= 0, panel.values(column)[rows], np.nan)
    return market.assign({column: values})


def joined(parts: Iterable[FactorReturns]) -> FactorReturns:
    """Return factors side by side on all their dates, missing where one has not begun."""
    parts = list(parts)
    if len(parts) == 1:
        return parts[0]
    frame = pd.concat([part.frame for part in parts], axis=1, sort=True)
    turnover = [part.turnover for part in parts if part.turnover is not None]
    return FactorReturns(
        frame,
        kind=parts[0].kind,
        freq=parts[0].freq,
        turnover=pd.concat(turnover, axis=1, sort=True) if turnover else None,
        source="; ".join(f"{part.factors[0]}: {part.source}" for part in parts),
        notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def alphas(returns: FactorReturns, factors: FactorReturns, *, lags: int) -> Artefacts:
    """Return alphas and betas of every factor on one benchmark."""
    result = inference.time_series(returns, factors, lags=lags)
    return {
        "params": result.params,
        "std_errors": result.std_errors,
        "tstats": result.tstats,
        "pvalues": result.pvalues,
        "fit": pd.DataFrame(
            {"R2": result.r2, "adj. R2": result.r2_adjusted, "observations": result.nobs}
        ),
        "text": {
            "conventions": result.conventions(),
            "notes": [str(note) for note in result.notes],
        },
    }


def joint_test(portfolios: FactorReturns, factors: FactorReturns) -> dict[str, object]:
    """Return the GRS test that the alphas of all strata are zero, as plain values.

    The exact test needs every portfolio on every date, so strata that were born late or died
    early stay out; which ones is said.
    """
    frame = portfolios.frame
    whole = [name for name in portfolios.factors if frame[name].notna().all()]
    part = [name for name in portfolios.factors if name not in whole]
    if not whole:
        return {
            "skipped": f"none of {frame.shape[1]} strata has a return on all {len(frame)} dates"
        }
    result = inference.grs(portfolios.select(whole), factors)
    statistic = result.statistics()[0]
    return {
        "tested": whole,
        "left_out": part,
        "name": statistic.name,
        "value": float(statistic.value),
        "pvalue": float(statistic.pvalue),
        "null": statistic.null,
        "distribution": statistic.distribution,
        "conventions": result.conventions(),
    }


def cross_section(panel: Panel, x: tuple[str, ...], *, lags: int) -> Artefacts:
    """Return Fama-MacBeth of next month's returns on unit ranks of characteristics."""
    ranked = unit_ranks(panel, x)
    result = inference.fama_macbeth(ranked, y="ret", x=list(x), lags=lags, lag=1)
    table = pd.DataFrame(
        {
            "params": result.params,
            "std_errors": result.std_errors,
            "tstats": result.tstats,
            "pvalues": result.pvalues,
        }
    )
    return {
        "table": table,
        "coefficients": result.coefficients,
        "text": {
            "conventions": [
                "Regressors: rank by date, at mean 0 and standard deviation 1, a month before.",
                *result.conventions(),
            ],
            "notes": [str(note) for note in result.notes],
        },
    }


def portfolio_returns(
    config: ClusterConfig | SortConfig, strata: Strata, panel: Panel
) -> FactorReturns:
    """Return what each stratum earned, monthly."""
    return portfolio.portfolio_returns(strata, panel, weighting=config.weighting)
