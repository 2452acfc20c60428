"""The paper's eight experiments as one grid: what is clustered x with or without autoencoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from threadpoolctl import threadpool_limits

from alphastrata.cluster.bounds import is_whole
from alphastrata.cluster.experiment_tables import Experiments
from alphastrata.cluster.pipeline import deep_clusterer
from alphastrata.cluster.reading import read_features
from alphastrata.cluster.spectral import spectral_labels
from alphastrata.cluster.validity import Scores, scores, trustworthiness
from alphastrata.core.checks import Note, Violations
from alphastrata.errors import ConfigError, InputDataError

__all__ = ["FEATURE_SETS", "experiments"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Progress = Callable[[int, int], object]

FEATURE_SETS: Mapping[str, tuple[str, ...]] = {
    "original": ("original",),
    "original + extension": ("original", "extension"),
    "original + extension + price": ("original", "extension", "price"),
    "price": ("price",),
}
"""What is clustered, as sums of the groups of characteristics."""

CLUSTERERS = ("kmeans", "spectral")


@dataclass(frozen=True)
class _Cell:
    """One layout: a feature set, with or without autoencoder, under one seed."""

    number: int
    features: str
    autoencoder: bool
    seed: int


@dataclass(frozen=True)
class _Outcome:
    rows: list[dict[str, Any]]
    labels: dict[tuple[str, int], Labels]
    map2: Array
    map3: Array | None


def _layout(X: Array, cell: _Cell, schedule: str, dims: int) -> tuple[Array, Array, Array]:
    """Return the scaled features, the latent coordinates and the map of one cell."""
    model = deep_clusterer(
        autoencoder=cell.autoencoder,
        latent_dim=min(8, X.shape[1]),
        schedule="short" if schedule == "short" else "usual",
        random_state=cell.seed,
    ).set_params(embedding__n_components=dims)
    steps = model.named_steps
    standard = X
    for name in ("impute", "signed_log", "scale"):
        standard = np.asarray(steps[name].fit_transform(standard))
    latent = steps["autoencoder"].fit_transform(standard) if cell.autoencoder else standard
    return standard, np.asarray(latent), np.asarray(steps["embedding"].fit_transform(latent))


def _row(
    cell: _Cell, clusterer: str, k: int, spaces: Mapping[str, Scores], trust: float
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "experiment": cell.number,
        "features": cell.features,
        "autoencoder": cell.autoencoder,
        "clusterer": clusterer,
        "k": k,
        "seed": cell.seed,
    }
    for space, found in spaces.items():
        row[f"silhouette_{space}"] = found.silhouette
        row[f"davies_bouldin_{space}"] = found.davies_bouldin
        row[f"calinski_harabasz_{space}"] = found.calinski_harabasz
    row["trustworthiness"] = trust
    return row


def _run(X: Array, cell: _Cell, clusters: Sequence[int], schedule: str) -> _Outcome:
    """Return scores and labels of both clusterers for every k, on one layout."""
    with threadpool_limits(limits=1):
        standard, latent, places = _layout(X, cell, schedule, 2)
        third = _layout(X, cell, schedule, 3)[2] if cell.seed == 0 else None
        labels: dict[tuple[str, int], Labels] = {}
        for k in clusters:
            found = KMeans(k, n_init=10, random_state=cell.seed).fit(places).labels_
            labels["kmeans", k] = found.astype(np.int64)
        for k, spectral in zip(clusters, spectral_labels(places, clusters), strict=True):
            labels["spectral", k] = spectral
        keys = list(labels)
        given = [labels[key] for key in keys]
        in_space = {
            name: scores(space, given)
            for name, space in (("input", standard), ("latent", latent), ("embedding", places))
        }
        trust = trustworthiness(latent, places) if len(places) > 10 else np.nan
    rows = [
        _row(cell, *key, {name: found[i] for name, found in in_space.items()}, trust)
        for i, key in enumerate(keys)
    ]
    return _Outcome(rows, labels, places, third)


def _plain(X: Array, features: str, clusters: Sequence[int]) -> list[dict[str, Any]]:
    """Return the scores of two principal components and K-means, the paper's comparison."""
    with threadpool_limits(limits=1):
        pipeline = deep_clusterer(autoencoder=False, embedding=None)[:-1]
        standard = np.asarray(pipeline.fit_transform(X))
        places = PCA(min(2, standard.shape[1]), svd_solver="full").fit_transform(standard)
        labels = [KMeans(k, n_init=10, random_state=0).fit(places).labels_ for k in clusters]
        here, before = scores(places, labels), scores(standard, labels)
    return [
        {
            "features": features,
            "k": k,
            "silhouette_embedding": a.silhouette,
            "davies_bouldin_embedding": a.davies_bouldin,
            "silhouette_input": b.silhouette,
            "davies_bouldin_input": b.davies_bouldin,
        }
        for k, a, b in zip(clusters, here, before, strict=True)
    ]


def _read(X: pd.DataFrame, groups: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return the columns of the groups as numbers, or raise for what is wrong with either."""
    if not isinstance(X, pd.DataFrame):
        raise InputDataError(
            f"The experiments need a DataFrame, assets x characteristics, whose columns groups can "
            f"name; got {type(X).__name__}."
        )
    check = Violations("The experiments")
    strange = [name for name in groups if name not in ("original", "extension", "price")]
    check.require(
        not strange,
        'groups are "original", "extension" and "price"',
        count=len(strange),
        first=repr(strange[0]) if strange else "",
    )
    for name in ("original", "extension", "price"):
        check.require(bool(groups.get(name)), f"groups must name columns of {name!r}")
    wanted = [column for name in groups for column in groups[name]]
    twice = [column for k, column in enumerate(wanted) if column in wanted[:k]]
    check.require(
        not twice,
        "Every column is in one group",
        count=len(twice),
        first=repr(twice[0]) if twice else "",
    )
    absent = [column for column in wanted if column not in X.columns]
    check.require(
        not absent,
        "Every column of a group must be in the data",
        count=len(absent),
        first=repr(absent[:1]),
    )
    check.raise_if_any(ConfigError)
    frame = read_features(X[wanted], "The experiments")
    again = frame.index.duplicated()
    check.require(
        not again.any(),
        "Each asset appears once",
        count=int(again.sum()),
        first=repr(frame.index[again].tolist()[0]) if again.any() else "",
        remedy="Hand in one cross-section",
    )
    check.raise_if_any()
    return frame


def _columns(
    X: pd.DataFrame, groups: Mapping[str, Sequence[str]]
) -> tuple[dict[str, list[str]], tuple[Note, ...]]:
    """Return the columns of each feature set; those without a value are left out, with a note."""
    wanted = list(X.columns)
    empty = [column for column in wanted if X[column].isna().all()]
    sets = {
        features: [c for name in names for c in groups[name] if c not in empty]
        for features, names in FEATURE_SETS.items()
    }
    bare = [features for features, columns in sets.items() if not columns]
    if bare:
        raise ConfigError(
            f"Every feature set needs a column with values; {len(bare)} have none. "
            f"First: {bare[0]}."
        )
    notes = []
    if empty:
        rule = "characteristic without a value on the date"
        notes.append(Note(rule, len(empty), len(wanted), empty[0], "left out", "cluster"))
    holes = X[[c for c in wanted if c not in empty]].isna()
    if holes.to_numpy().any():
        rule = "missing value of a characteristic"
        first = str(holes.any(axis=1).idxmax())
        count = int(holes.to_numpy().sum())
        notes.append(Note(rule, count, holes.size, first, "replaced by the median", "cluster"))
    return sets, tuple(notes)


def _without_returns(X: pd.DataFrame, returns: pd.DataFrame | None) -> tuple[Note, ...]:
    """Return a note on the assets that have no column of returns."""
    if returns is None:
        return ()
    bare = X.index[~X.index.isin(returns.columns)]
    if len(bare) == len(X):
        raise InputDataError(
            f"Returns have a column per asset; none of the {len(X)} assets has one. First: "
            f"{bare.tolist()[0]!r}. Name the columns as the rows of X."
        )
    if not len(bare):
        return ()
    rule, action = "asset without returns", "left out of the clusters' returns"
    return (Note(rule, len(bare), len(X), str(bare[0]), action, "cluster"),)


def experiments(
    X: pd.DataFrame,
    groups: Mapping[str, Sequence[str]],
    *,
    clusters: Sequence[int] = (3, 4, 5, 6),
    seeds: int = 5,
    returns: pd.DataFrame | None = None,
    schedule: Literal["usual", "short"] = "usual",
    n_jobs: int = 1,
    progress: Progress | None = None,
) -> Experiments:
    """Return the eight experiments on one cross-section, with every k, both clusterers and seeds.

    Experiments 1 to 4 cluster the four feature sets ("original", "original + extension",
    "original + extension + price", "price") without, 5 to 8 with autoencoder; each is laid out by
    t-SNE and clustered by K-means and spectral clustering.

    Parameters
    ----------
    X : DataFrame, assets x characteristics
        One cross-section, such as ``panel.at(date)``; missing values are imputed by the median.
    groups : mapping
        "original", "extension" and "price" -> columns of ``X``.
    clusters : sequence of int
        Numbers of clusters.
    seeds : int
        Repetitions with seeds 0, 1, …: of the autoencoder and of K-means. (Without autoencoder,
        t-SNE starts from principal components and does not depend on the seed.)
    returns : DataFrame, date x asset, or None
        Returns in decimals, for the return, risk and correlation of the clusters.
    schedule : {"usual", "short"}
        Steps of t-SNE, as in ``deep_clusterer``.
    n_jobs : int
        Layouts at the same time; the result does not depend on it.
    progress : callable or None
        Called with (layouts done, layouts in all).

    Raises
    ------
    ConfigError
        If a group is missing or names absent columns, or a number is out of range.
    InputDataError
        If ``X`` is no frame, two assets have the same name, a column of a group is no column of
        finite numbers, or no asset has returns.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = pd.DataFrame(rng.normal(size=(60, 6)), columns=list("abcdef"))
    >>> groups = {"original": ["a", "b"], "extension": ["c", "d"], "price": ["e", "f"]}
    >>> found = experiments(X, groups, clusters=(3, 4), seeds=1, schedule="short")
    >>> found.table().shape
    (8, 2)
    """
    tried = list(clusters)
    whole = all(is_whole(number) for number in [*tried, seeds])
    if not (tried and whole and min(tried) >= 2 and max(tried) < len(X) and seeds >= 1):
        raise ConfigError(
            f"Numbers of clusters must be whole, from 2 to less than the {len(X)} assets, and "
            f"seeds at least 1; got {tried} and {seeds}."
        )
    if len(set(tried)) < len(tried) or schedule not in ("usual", "short"):
        raise ConfigError(
            f'Each number of clusters stands once, and schedule is "usual" or "short"; got '
            f"{tried} and {schedule!r}."
        )
    X = _read(X, groups)
    sets, notes = _columns(X, groups)
    notes += _without_returns(X, returns)
    values = {name: X[columns].to_numpy() for name, columns in sets.items()}
    cells = [
        _Cell(1 + i + len(sets) * with_coder, features, bool(with_coder), seed)
        for with_coder in (0, 1)
        for i, features in enumerate(sets)
        for seed in range(seeds)
    ]
    outcomes = []
    run = _outcomes(values, cells, tried, schedule, n_jobs)
    for done, outcome in enumerate(run, start=1):
        outcomes.append(outcome)
        if progress is not None:
            progress(done, len(cells))
    plain = [row for name in sets for row in _plain(values[name], name, tried)]
    return Experiments(
        scores=pd.DataFrame([row for outcome in outcomes for row in outcome.rows]),
        labels=_labels(X, cells, outcomes),
        maps=_maps(X, cells, outcomes),
        plain=pd.DataFrame(plain).set_index(["features", "k"]),
        data=X[list(dict.fromkeys(c for columns in sets.values() for c in columns))],
        returns=returns,
        notes=notes,
    )


def _outcomes(
    values: Mapping[str, Array],
    cells: Sequence[_Cell],
    clusters: Sequence[int],
    schedule: str,
    n_jobs: int,
) -> Iterator[_Outcome]:
    if n_jobs == 1:
        return (_run(values[cell.features], cell, clusters, schedule) for cell in cells)
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    found: Any = parallel(
        delayed(_run)(values[cell.features], cell, clusters, schedule) for cell in cells
    )
    return iter(found)


def _labels(X: pd.DataFrame, cells: Sequence[_Cell], outcomes: Sequence[_Outcome]) -> pd.DataFrame:
    """Return the labels 1..k of the first seed, assets x (experiment, clusterer, k), by size."""
    columns = {}
    for cell, outcome in zip(cells, outcomes, strict=True):
        if cell.seed == 0:
            for (clusterer, k), labels in outcome.labels.items():
                sizes = np.bincount(labels, minlength=k)
                rank = np.empty(k, dtype=np.int64)
                rank[np.argsort(-sizes, kind="stable")] = np.arange(1, k + 1)
                columns[cell.number, clusterer, k] = rank[labels]
    frame = pd.DataFrame(columns, index=X.index)
    return frame.rename_axis(columns=["experiment", "clusterer", "k"])


def _maps(X: pd.DataFrame, cells: Sequence[_Cell], outcomes: Sequence[_Outcome]) -> pd.DataFrame:
    """Return the maps of the first seed in two (x, y) and three dimensions (x3, y3, z3)."""
    frames = []
    for cell, outcome in zip(cells, outcomes, strict=True):
        if cell.seed == 0 and outcome.map3 is not None:
            places = np.hstack([outcome.map2, outcome.map3])
            frame = pd.DataFrame(places, columns=["x", "y", "x3", "y3", "z3"])
            frame.insert(0, "asset", X.index)
            frame.insert(0, "experiment", cell.number)
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)
