"""The clustering stage: strata, and how much of what they show noise would show too."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy.optimize import linear_sum_assignment

from alphastrata import cluster
from alphastrata.cluster.nulls import sample_null
from alphastrata.core import Panel, RollingWindows, Strata
from alphastrata.core.checks import require_columns
from alphastrata.study.artefacts import Artefacts
from alphastrata.study.settings import ClusterConfig
from alphastrata.study.stages.estimators import estimator_of
from alphastrata.study.stages.explanations import explanations
from alphastrata.study.stages.ranks import unit_ranks

Progress = Callable[[int, int], None]

NULLS = {"permute": "permuted columns", "copula": "Gaussian copula", "one_factor": "one factor"}


def clusters(
    config: ClusterConfig,
    panel: Panel,
    *,
    seed: int,
    workers: int,
    progress: Progress | None,
    folder: Path | None = None,
) -> Artefacts:
    """Return one rolling clustering: strata, scores beside nulls, maps, profiles, events.

    The nulls run the whole pipeline, window by window, on data without clusters. Every finished
    window is kept in ``folder``, from where an interrupted run goes on.
    """
    if config.checks.purge:
        require_columns(panel.columns, ["market_cap"], f"checks.purge of {config.name}")
    names = list(config.features)
    model = estimator_of(config, len(names), seed)
    roll: dict[str, Any] = {
        "windows": RollingWindows(config.window, config.step, config.expanding),
        "features": names,
        "train": config.train,
        "options": cluster.RollingOptions(start=config.start, store=folder),
    }
    rounds = 1 + len(NULLS) * config.nulls

    def report(nth: int) -> Progress | None:
        return None if progress is None else lambda n, of: progress(nth * of + n, rounds * of)

    found = cluster.rolling(model, panel, **roll, n_jobs=workers, progress=report(0))
    nulls = _null_scores(config, model, panel, roll, seed, workers, report)
    scores = [long_scores(found.scores, "data"), *(long_scores(t, k) for k, t in nulls)]
    by_cluster = found.profiles.groupby(level="cluster").mean()
    return {
        "strata": found.strata,
        "names": {str(cluster): name for cluster, name in found.names.items()},
        "scores": pd.concat(scores, ignore_index=True),
        "nulls without clusters": _without_clusters(nulls),
        "profiles": by_cluster["mean_z"][names],
        "medians": by_cluster["median"][names],
        "embeddings": with_hover(found, panel, names),
        "flows": as_flows(found.transitions, pd.DatetimeIndex(found.scores.index)),
        "events": found.events,
        "check What each window had": window_table(found.scores),
        "check Share of members, by the cluster they are in a window later": moves(found),
        "check Windows that an asset stays, on average": found.tenure().to_frame("windows"),
        **_agreement(found.strata),
        **checks(config, model, panel, found, seed=seed, workers=workers),
        **explanations(config.explain, model, panel, found, names, seed=seed),
    }


def _null_scores(
    config: ClusterConfig,
    model: Any,
    panel: Panel,
    roll: dict[str, Any],
    seed: int,
    workers: int,
    report: Callable[[int], Progress | None],
) -> list[tuple[str, pd.DataFrame]]:
    """Return the scores of every window on each draw of each null, under the null's name.

    Where windows are a chain, the draws run at the same time; otherwise the windows of one do.
    """
    draws = [(kind, draw) for kind in NULLS for draw in range(config.nulls)]
    features = panel.select(list(config.features))
    chain = config.start in ("warm", "map")

    def one(kind: str, draw: int, jobs: int, tell: Progress | None) -> pd.DataFrame:
        rng = np.random.default_rng([seed, *kind.encode(), draw])
        drawn = null_panel(features, kind, rng)
        return cluster.rolling_scores(model, drawn, **roll, n_jobs=jobs, progress=tell)

    if not chain or workers == 1:
        tables = [one(kind, n, workers, report(k)) for k, (kind, n) in enumerate(draws, 1)]
        return [(NULLS[kind], table) for (kind, _), table in zip(draws, tables, strict=True)]
    run = Parallel(n_jobs=workers, return_as="generator")
    out = []
    results = run(delayed(one)(kind, draw, 1, None) for kind, draw in draws)
    for nth, ((kind, _), table) in enumerate(zip(draws, results, strict=True), 1):
        out.append((NULLS[kind], table))
        tell = report(nth)
        if tell is not None:
            tell(len(table), len(table))
    return out


def _without_clusters(nulls: list[tuple[str, pd.DataFrame]]) -> list[int]:
    """Return in how many windows of the nulls there were fewer than two clusters, and of all."""
    few = sum(int((table["n_clusters"] < 2).sum()) for _, table in nulls)
    return [few, sum(len(table) for _, table in nulls)]


def window_table(scores: pd.DataFrame) -> pd.DataFrame:
    """Return what each window had: assets, clusters, noise, training, trustworthiness."""
    names = {
        "n_assets": "assets",
        "n_clusters": "clusters",
        "n_noise": "noise, unclassified",
        "imputed": "values imputed",
        "epochs": "epochs",
        "loss": "loss of the network",
        "trustworthiness": "trustworthiness of the map",
    }
    there = [name for name in names if name in scores and scores[name].notna().any()]
    return scores[there].rename(columns=names)


def _agreement(strata: Strata) -> Artefacts:
    """Return how labels agree between neighbouring dates, where there are two."""
    if len(strata.dates) < 2:
        return {}
    return {"check Agreement of neighbouring windows": cluster.window_stability(strata)}


def moves(found: cluster.RollingClusters) -> pd.DataFrame:
    """Return the transition matrix with names for its columns, clusters without heirs left out."""
    matrix = found.transition_matrix()
    return matrix.rename(columns=lambda c: f"to {c}").rename_axis(index="from", columns=None)


def checks(
    config: ClusterConfig,
    model: Any,
    panel: Panel,
    found: cluster.RollingClusters,
    *,
    seed: int,
    workers: int,
) -> Artefacts:
    """Return what else was asked of the last cross-section: size, stability, the number k."""
    wanted, names = config.checks, list(config.features)
    last = panel.at(found.strata.dates[-1])
    last = last[last[names].notna().mean(axis=1) >= 0.5]
    # One without a value on the date is the same for all assets, and tells none from another.
    names = [name for name in names if last[name].notna().any()]
    values = last[names].fillna(last[names].median())
    out: Artefacts = {}
    if wanted.null_test:
        tested = cluster.null_test(
            model,
            values,
            nulls=wanted.null_test,
            draws=wanted.draws,
            random_state=seed,
            n_jobs=workers,
        )
        once = _once(tested.observed)
        out["null test observed"] = tested.observed[once].to_frame()
        out["null test simulated"] = tested.simulated[once]
        out["null test table"] = _null_table(tested)
    if wanted.purge:
        known = last["market_cap"].notna()
        industry = last.loc[known, "industry"].astype(str) if "industry" in last else None
        purged = cluster.size_purge(
            model,
            values[known],
            np.log(last.loc[known, "market_cap"].to_numpy()),
            industry=industry,
            draws=wanted.draws,
            random_state=seed,
            n_jobs=workers,
        )
        table = purged.information.copy()
        table["labels kept after the purge (ARI)"] = purged.agreement
        table["assets with a size"] = int(known.sum())
        out["check How much of the labels is size or industry"] = table
        out["check Against nulls, after size is projected out"] = _null_table(purged.null)
    if wanted.stability:
        steady = cluster.stability(model, values, random_state=seed, n_jobs=workers)
        out["check Stability over seeds and bootstrap samples"] = steady.table()
        labels = found.strata.labels.xs(found.strata.dates[-1], level="date")
        here = labels.reindex(values.index).fillna(0).to_numpy(dtype=np.int64)
        out["check Stability of each cluster (Jaccard)"] = by_identity(steady, here)
    if wanted.choose_k:
        chosen = cluster.choose_k(
            model, values, candidates=wanted.choose_k, random_state=seed, n_jobs=workers
        )
        out["criteria for k"] = chosen.table
        out["choices of k"] = chosen.choices.rename("k").to_frame()
    return out


def by_identity(steady: cluster.Stability, identities: np.ndarray) -> pd.DataFrame:
    """Return how well each cluster comes back, under the number that the page knows it by.

    What is resampled is fitted to the last cross-section alone, and numbers its clusters anew:
    each takes the identity with which it shares most members, one to one, and says how many of
    the members of both it shares. One without a counterpart is left out.
    """
    fitted = np.array(steady.jaccard.index)
    known = np.unique(identities[identities > 0])
    members = steady.labels[:, None] == fitted
    own = identities[:, None] == known
    shared = members.T.astype(np.int64) @ own.astype(np.int64)
    union = members.sum(axis=0)[:, None] + own.sum(axis=0)[None, :] - shared
    overlap = shared / union
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    table = pd.DataFrame(
        {
            "Jaccard": steady.jaccard.to_numpy()[rows],
            "members shared with the fit to this date alone": overlap[rows, columns],
        },
        index=pd.Index(known[columns], name="cluster"),
    )
    return table[overlap[rows, columns] > 0].sort_index()


def _null_table(tested: cluster.NullTest) -> pd.DataFrame:
    once = _once(tested.observed)
    kept = [f"{score} ({kind})" for kind, score in tested.pvalues.index if score in once]
    return tested.table().loc[kept]


def _once(observed: pd.Series) -> list[str]:
    """Return the scores that are not those of the same rows in a space named before.

    Without a map, the space that is clustered is the latent one, or that of the features.
    """
    return [name for name in observed.index if not _repeated(name, observed)]


def _repeated(name: str, observed: pd.Series) -> bool:
    """Return whether the score is that of another space of the same rows, named before."""
    metric, _, space = name.rpartition("_")
    before = {"latent": ["input"], "embedding": ["input", "latent"]}.get(space, [])
    return any(observed.get(f"{metric}_{other}") == observed[name] for other in before)


def null_panel(panel: Panel, kind: str, rng: np.random.Generator) -> Panel:
    """Return a panel with the margins of every date but no clusters; see `cluster.sample_null`."""
    values = panel.matrix(panel.columns)
    out = np.empty_like(values)
    bounds = panel.offsets.tolist()
    for first, last in pairwise(bounds):
        if last > first:
            out[:, first:last] = sample_null(values[:, first:last].T, kind, rng).T
    return panel.assign(dict(zip(panel.columns, out, strict=True)))


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


def with_hover(found: cluster.RollingClusters, panel: Panel, features_: list[str]) -> pd.DataFrame:
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
