"""One window: fit a clusterer on what was known by the formation date, and score it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, clone
from sklearn.pipeline import Pipeline
from threadpoolctl import ThreadpoolController

from alphastrata.cluster.autoencoder import Autoencoder
from alphastrata.cluster.deep import DeepClusterer
from alphastrata.cluster.embedding import TSNE, principal_start
from alphastrata.cluster.transforms import MedianImputer
from alphastrata.cluster.validity import score_clusters, trustworthiness
from alphastrata.errors import AlphaStrataError, ConfigError, EstimationError

__all__ = [
    *("Carry", "Task", "WindowFit", "fit_early_steps", "fit_window", "require_clusterer"),
    "split_steps",
]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]
Steps = list[tuple[str, Any]]

MANIFOLDS = ("TSNE", "Isomap", "UMAP", "SpectralEmbedding", "LocallyLinearEmbedding", "MDS")
"""Classes of maps, which are laid out anew for each cross-section."""


@dataclass(frozen=True)
class Carry:
    """What a window hands on to the next one in a chain: weights, and the map by asset."""

    columns: tuple[str, ...]
    assets: Labels
    weights: list[NDArray[np.float32]]
    map: Array


@dataclass(frozen=True)
class Task:
    """What one window needs to be fitted.

    Attributes
    ----------
    name : str
        How errors call the window.
    model : estimator
        The clusterer, or a pipeline that ends in one; it is cloned.
    pooled : ndarray (rows, features)
        What the transformers learn from.
    cross : ndarray (assets, features)
        The formation cross-section; missing values as NaN.
    assets : ndarray of int64 (assets,)
        Codes of the assets.
    columns : tuple of str
        Names of the features.
    start : {"cold", "warm", "map"}
        Whether the previous window's weights, and its map, are gone on from.
    early : list of steps or None
        Fitted transformers that replace the model's own ("frozen").
    """

    name: str
    model: Any
    pooled: Array
    cross: Array
    assets: Labels
    columns: tuple[str, ...]
    start: str = "cold"
    early: Steps | None = None


@dataclass(frozen=True)
class WindowFit:
    """What a fitted window leaves behind, as arrays.

    Attributes
    ----------
    labels : ndarray of int64 (assets,)
        As the clusterer numbered them; negative where not classified.
    standard : ndarray (assets, features)
        The features as the model scaled them, before any compression.
    places : ndarray (assets, 2 or 3)
        Coordinates for drawing: the map, or principal coordinates of what was clustered (of the
        latent space, where the clusterer has its own).
    scores : dict
        Score -> value.
    training : dict
        "epochs" and "loss" of the window's network, empty where there is none.
    weights : list of ndarray
        Layers of the autoencoder, encoder first, empty where there is none.
    memberships : ndarray (assets, clusters) or None
        Membership of each label 0, 1, …, where the clusterer knows it.
    """

    labels: Labels
    standard: Array
    places: Array
    scores: dict[str, float]
    training: dict[str, float] = field(default_factory=dict)
    weights: list[NDArray[np.float32]] = field(default_factory=list)
    memberships: Array | None = None

    def carry(self, task: Task) -> Carry:
        """Return what the next window in a chain goes on from."""
        return Carry(task.columns, task.assets, self.weights, self.places)


def require_clusterer(model: Any) -> None:
    """Raise `ConfigError` unless the model is a clusterer, or a pipeline that ends in one."""
    last = model.steps[-1][1] if isinstance(model, Pipeline) else model
    assigns = hasattr(last, "predict") or hasattr(last, "fit_predict")
    if isinstance(last, type) or not (hasattr(last, "fit") and assigns):
        kind = f"the class {last.__name__}" if isinstance(last, type) else type(last).__name__
        raise ConfigError(
            f"The model must be a clusterer, or a pipeline that ends in one; got {kind}. Hand in "
            "an instance, such as deep_clusterer()."
        )


def split_steps(model: BaseEstimator) -> tuple[Steps, Steps]:
    """Return the steps that can learn from pooled rows, and those laid out per cross-section.

    The second part begins with the first map (t-SNE, Isomap, UMAP, …) or, without one, is the
    last step, the clusterer. A model without an imputer gets one in front, by the median.
    """
    steps: Steps = list(model.steps) if isinstance(model, Pipeline) else [("cluster", model)]
    steps = [(name, step) for name, step in steps if step is not None and step != "passthrough"]
    if not any(type(step).__name__.endswith("Imputer") for _, step in steps):
        steps.insert(0, ("impute", MedianImputer()))
    last = len(steps) - 1
    maps = [k for k, (_, step) in enumerate(steps) if type(step).__name__ in MANIFOLDS]
    cut = min([*maps, last])
    return steps[:cut], steps[cut:]


def fit_early_steps(steps: Steps, pooled: Array) -> Steps:
    """Return clones of the transformers, each fitted on what the ones before make of the rows."""
    fitted: Steps = []
    rows = pooled
    for k, (name, step) in enumerate(steps):
        own = step if hasattr(step, "encoder_") and step.warm_start else clone(step)
        own.fit(rows)
        fitted.append((name, own))
        if k < len(steps) - 1:
            rows = own.transform(rows)
    return fitted


@cache
def _libraries(torch_is_loaded: bool) -> ThreadpoolController:
    """Return the libraries with threads of their own, searched for once and again with torch."""
    return ThreadpoolController()


def fit_window(task: Task, carry: Carry | None = None) -> WindowFit:
    """Return the clusters of one window, on one thread.

    Raises
    ------
    EstimationError
        If a step fails; the message names the window.
    """
    try:
        with _libraries("torch" in sys.modules).limit(limits=1):
            return _fit(task, carry)
    except AlphaStrataError as error:
        raise type(error)(f"Window {task.name}: {error}") from error
    except (ValueError, FloatingPointError, np.linalg.LinAlgError) as error:
        raise EstimationError(f"Window {task.name} could not be clustered: {error}") from error


def _fit(task: Task, carry: Carry | None) -> WindowFit:
    early, late = split_steps(task.model)
    late = [(name, clone(step)) for name, step in late]
    if task.start in ("warm", "map") and carry is not None and carry.columns == task.columns:
        early = [(name, _warmed(step, carry)) for name, step in early]
    early = task.early if task.early is not None else fit_early_steps(early, task.pooled)
    rows = task.cross
    standard, keeps_columns = rows, True
    for _, step in early:
        rows = np.asarray(step.transform(rows), dtype=np.float64)
        scales = isinstance(step, OneToOneFeatureMixin) or type(step).__name__.endswith("Imputer")
        keeps_columns &= scales and rows.shape[1] == standard.shape[1]
        if keeps_columns:
            standard = rows
    latent = rows
    for _, step in late[:-1]:
        if task.start == "map" and isinstance(step, TSNE) and carry is not None:
            step.set_params(init=_previous_map(task.assets, rows, carry), early_iter=0, n_iter=150)
        rows = np.asarray(step.fit_transform(rows), dtype=np.float64)
    clusterer, mapped = late[-1][1], len(late) > 1
    memberships: Array | None
    if isinstance(clusterer, DeepClusterer) and not mapped:
        # A network learns from what the transformers learn from, and then assigns this window's
        # assets; it clusters in a latent space of its own.
        clusterer.fit(_through(early, task.pooled))
        labels, memberships = clusterer.predict(rows), clusterer.predict_proba(rows)
        latent = rows = clusterer.transform(rows)
    else:
        clusterer.fit(rows)
        found = clusterer.labels_ if hasattr(clusterer, "labels_") else clusterer.predict(rows)
        labels, memberships = np.asarray(found, dtype=np.int64), _memberships(clusterer, rows)
    return WindowFit(
        labels=labels,
        standard=standard,
        places=_places(rows),
        scores=_scores(standard, latent, rows, labels, mapped=mapped),
        training=_training(early, clusterer),
        weights=[array for _, step in early for array in _weights(step)],
        memberships=memberships,
    )


def _through(steps: Steps, rows: Array) -> Array:
    """Return what fitted transformers make of rows, one after another."""
    for _, step in steps:
        rows = np.asarray(step.transform(rows), dtype=np.float64)
    return rows


def _training(early: Steps, clusterer: Any) -> dict[str, float]:
    """Return how long the window's network was trained, and its last or best loss."""
    if isinstance(clusterer, DeepClusterer):
        log = clusterer.log_
        return {"epochs": float(len(log)), "loss": float(log["loss"].iloc[-1])}
    for _, step in early:
        if isinstance(step, Autoencoder):
            best = step.log_.iloc[step.best_epoch_ - 1]
            held = float(best["held_out"])
            loss = held if np.isfinite(held) else float(best["train"])
            return {"epochs": float(len(step.log_)), "loss": loss}
    return {}


def _memberships(clusterer: Any, rows: Array) -> Array | None:
    if not hasattr(clusterer, "predict_proba"):
        return None
    return np.asarray(clusterer.predict_proba(rows), dtype=np.float64)


def _scores(
    standard: Array, latent: Array, final: Array, labels: Labels, *, mapped: bool
) -> dict[str, float]:
    """Return the scores in the space of the input, of the last transformer, and of the map."""
    out: dict[str, float] = {}
    for name, space in (("input", standard), ("latent", latent), ("embedding", final)):
        found = score_clusters(space, labels)
        out[f"silhouette_{name}"] = found.silhouette
        out[f"davies_bouldin_{name}"] = found.davies_bouldin
        out[f"calinski_harabasz_{name}"] = found.calinski_harabasz
    enough = mapped and len(final) > 10
    out["trustworthiness"] = trustworthiness(latent, final) if enough else np.nan
    out["n_clusters"] = float(len(np.unique(labels[labels >= 0])))
    out["n_noise"] = float((labels < 0).sum())
    return out


def _places(rows: Array) -> Array:
    """Return coordinates for drawing: the rows themselves, or their principal coordinates."""
    if rows.shape[1] in (2, 3):
        return rows
    return principal_start(rows, 2, np.random.RandomState(0)) * 1e4


def _weights(step: Any) -> list[NDArray[np.float32]]:
    if not isinstance(step, Autoencoder):
        return []
    return [array for layer in [*step.encoder_, *step.decoder_] for array in layer]


def _warmed(step: Any, carry: Carry) -> Any:
    """Return the autoencoder with the previous window's weights and a fifth of the epochs."""
    if not isinstance(step, Autoencoder) or not carry.weights:
        return step
    warm = clone(step).set_params(warm_start=True, epochs=max(1, step.epochs // 5))
    pairs = list(zip(carry.weights[::2], carry.weights[1::2], strict=True))
    half = len(pairs) // 2
    warm.encoder_, warm.decoder_ = pairs[:half], pairs[half:]
    return warm


def _previous_map(assets: Labels, rows: Array, carry: Carry) -> Array:
    """Return where each asset stood before; a new one starts at its nearest neighbour's place."""
    from alphastrata.cluster.neighbors import nearest_neighbors

    order = np.argsort(carry.assets)
    spot = np.clip(np.searchsorted(carry.assets[order], assets), 0, len(order) - 1)
    position = order[spot]
    known = carry.assets[position] == assets
    if not known.any():
        return principal_start(rows, carry.map.shape[1], np.random.RandomState(0))
    places = carry.map[position].copy()
    if not known.all():
        old = np.flatnonzero(known)
        index, _ = nearest_neighbors(rows[~known], rows[old], 1, exclude_self=False)
        places[~known] = places[old[index[:, 0]]]
    return places
