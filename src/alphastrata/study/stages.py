"""The stages of a study as pure functions: settings and earlier artefacts in, artefacts out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from alphastrata import cluster, data, features, inference, portfolio
from alphastrata.core import FactorReturns, Panel, RollingWindows, Strata
from alphastrata.core.bydate import rank, standardize
from alphastrata.errors import ConfigError
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.config import (
    BenchmarkConfig,
    ClusterConfig,
    DataConfig,
    SortConfig,
    StudyConfig,
)

Progress = Callable[[int, int], None]

NULLS: dict[str, str] = {}

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
    for name, freq in (("panel", "M"), ("daily", "D")):
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


def clusters(
    config: ClusterConfig, panel: Panel, *, seed: int, workers: int, progress: Progress | None
) -> Artefacts:
    """Return one rolling clustering: strata, scores beside nulls, maps, profiles, events.

    The nulls run the whole pipeline, window by window, on data without clusters.
    """
    latent = config.latent_dim or (4 if len(config.features) <= 8 else 8)
    model = cluster.deep_clusterer(
        n_clusters=config.n_clusters,
        latent_dim=latent,
        embedding=None if config.embedding == "none" else config.embedding,
        clusterer=config.clusterer,
        autoencoder=config.autoencoder,
        random_state=seed,
    )
    names = list(config.features)
    windows = RollingWindows(config.window, config.step)
    rounds = 1 + len(NULLS) * (config.nulls > 0)

    def roll(data: Panel, nth: int) -> cluster.RollingClusters:
        def report(done: int, total: int) -> None:
            if progress is not None:
                progress(nth * total + done, rounds * total)

        return cluster.rolling(
            model, data, windows, features=names, n_jobs=workers, progress=report
        )

    found = roll(panel, 0)
    scores = [long_scores(found.scores, "data")]
    if config.nulls:
        for nth, kind in enumerate(NULLS, 1):
            rng = np.random.default_rng([seed, nth])
            null = roll(null_panel(panel.select(names), kind, rng), nth)
            scores.append(long_scores(null.scores, NULLS[kind]))
    by_cluster = found.profiles.groupby(level="cluster").mean()
    return {
        "strata": found.strata,
        "scores": pd.concat(scores, ignore_index=True),
        "profiles": by_cluster["mean_z"][names],
        "medians": by_cluster["median"][names],
        "embeddings": with_hover(found, panel, names),
        "flows": as_flows(found.transitions, pd.DatetimeIndex(found.scores.index)),
        "events": found.events,
    }


def long_scores(scores: pd.DataFrame, source: str) -> pd.DataFrame:
    """Return scores by window as rows: date, metric, space, source, score."""
    parts = [
        pd.DataFrame(
            {
                "date": scores.index,
                "metric": metric,
                "space": space,
                "source": source,
                "score": scores[f"{metric}_{space}"].to_numpy(),
            }
        )
        for metric in ("silhouette", "davies_bouldin", "calinski_harabasz")
        for space in ("input", "latent", "embedding")
        if f"{metric}_{space}" in scores
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["score"])


def with_hover(
    found: cluster.RollingClusters, panel: Panel, features_: list[str]
) -> pd.DataFrame:
    """Return the maps with cluster, a third coordinate, and what a reader hovers for.

    Where the map is flat, the third coordinate is the first principal coordinate of the ranked
    features on the same date.
    """
    at = found.embeddings.copy()
    labels = found.strata.labels
    at["cluster"] = labels.reindex(pd.MultiIndex.from_frame(at[["date", "asset"]])).to_numpy()
    at = at.dropna(subset=["cluster"]).astype({"cluster": "int64"}).reset_index(drop=True)
    index = pd.MultiIndex.from_frame(at[["date", "asset"]])
    rows = panel.rows_of(index)
    if "z" not in at:
        ranked = unit_ranks(panel, features_).matrix(features_)[:, rows].T
        at["z"] = first_component(np.nan_to_num(ranked))
    for name in features_[:5]:
        at[name] = panel.values(name)[rows]
    return at


def first_component(values: np.ndarray) -> np.ndarray:
    """Return the first principal coordinate of rows, its largest loading positive."""
    centred = values - values.mean(axis=0)
    _, vectors = np.linalg.eigh(centred.T @ centred)
    first = vectors[:, -1]
    coordinate: np.ndarray = centred @ (first * np.sign(first[np.argmax(np.abs(first))]))
    return coordinate


def as_flows(transitions: pd.DataFrame, formations: pd.DatetimeIndex) -> pd.DataFrame:
    """Return transitions between neighbouring windows with both their dates."""
    before = dict(zip(formations[1:], formations[:-1], strict=True))
    return transitions.rename(
        columns={"date": "date_to", "origin": "cluster_from", "target": "cluster_to"}
    ).assign(date_from=transitions["date"].map(before))


def sort(config: SortConfig, panel: Panel) -> Strata:
    """Return the strata of one characteristic sort."""
    return portfolio.quantile_sort(
        panel, config.by, n=config.n, breakpoints=config.breakpoints, rebalance=config.rebalance
    )


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
    frame = pd.concat([part.frame for part in parts], axis=1)
    turnover = [part.turnover for part in parts if part.turnover is not None]
    return FactorReturns(
        frame,
        kind=parts[0].kind,
        freq=parts[0].freq,
        turnover=pd.concat(turnover, axis=1) if turnover else None,
        source="; ".join(f"{part.factors[0]}: {part.source}" for part in parts),
        notes=list(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def unit_ranks(panel: Panel, columns: Iterable[str]) -> Panel:
    """Return the panel with columns replaced by their rank by date, at mean 0 and sd 1."""
    return panel.assign(
        {
            name: standardize(rank(panel.values(name), panel.offsets), panel.offsets)
            for name in columns
        }
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
    whole = [name for name in frame if frame[name].notna().all()]
    part = [str(name) for name in frame if name not in whole]
    if not whole:
        return {"skipped": f"none of {frame.shape[1]} strata has a return on all {len(frame)} dates"}
    result = inference.grs(portfolios.select(whole), factors)
    statistic = result.statistics()[0]
    return {
        "tested": [str(name) for name in whole],
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


def performance(spreads: FactorReturns) -> Artefacts:
    """Return growth, drawdowns, summary and correlations of monthly long-short returns."""
    frame = spreads.frame
    growth = (1.0 + frame.fillna(0.0)).cumprod().where(frame.ffill().notna())
    summary = pd.DataFrame({"mean": 12 * frame.mean(), "volatility": np.sqrt(12) * frame.std()})
    return {
        "growth": growth,
        "drawdowns": growth / growth.cummax() - 1.0,
        "summary": summary,
        "correlations": frame.corr(),
        "formats": {"mean": "percent", "volatility": "percent"},
    }
