"""The three stages: autoencoder, dimension reduction, clustering; each may be left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import KNeighborsClassifier

from alphastrata.cluster import TSNE, isomap, spectral_labels, umap
from alphastrata.cluster.mixed_autoencoder import Block, MixedAutoencoder
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError, EstimationError

__all__ = ["CLUSTERERS", "REDUCTIONS", "Assigner", "Mapper", "Stages", "cluster_rows"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

REDUCTIONS = ("none", "pca", "isomap", "tsne", "umap")
CLUSTERERS = ("kmeans", "kprototypes", "gaussian_mixture", "spectral", "hdbscan")


@dataclass(frozen=True)
class Stages:
    """Which method stands at each of the three stages.

    Parameters
    ----------
    autoencoder : bool
        Compress with a mixed-loss autoencoder first.
    reduction : {"none", "pca", "isomap", "tsne", "umap"}
        PCA keeps the components above those of permuted columns; Isomap maps to three
        dimensions, t-SNE and UMAP to two.
    clusterer : {"kmeans", "kprototypes", "gaussian_mixture", "spectral", "hdbscan"}
        K-prototypes works on the preprocessed columns themselves and goes with neither of the
        other stages. HDBSCAN finds its own number of segments and leaves some customers out.

    Examples
    --------
    >>> print(Stages(autoencoder=True, reduction="isomap"))
    autoencoder → isomap → kmeans
    """

    autoencoder: bool = False
    reduction: Literal["none", "pca", "isomap", "tsne", "umap"] = "pca"
    clusterer: Literal["kmeans", "kprototypes", "gaussian_mixture", "spectral", "hdbscan"] = (
        "kmeans"
    )

    def __post_init__(self) -> None:
        check = Violations("Stages")
        check.require(
            self.reduction in REDUCTIONS,
            f"reduction must be one of {', '.join(REDUCTIONS)}",
            first=repr(self.reduction),
        )
        check.require(
            self.clusterer in CLUSTERERS,
            f"clusterer must be one of {', '.join(CLUSTERERS)}",
            first=repr(self.clusterer),
        )
        check.require(
            self.clusterer != "kprototypes" or (not self.autoencoder and self.reduction == "none"),
            "kprototypes works on the columns themselves",
            remedy="Leave the autoencoder and the reduction out",
        )
        check.raise_if_any(ConfigError)

    def __str__(self) -> str:
        first = ["autoencoder"] if self.autoencoder else []
        second = [] if self.reduction == "none" else [self.reduction]
        return " → ".join([*first, *second, self.clusterer])


class Mapper(TransformerMixin, BaseEstimator):
    """The first two stages: from the preprocessed matrix to the coordinates that are clustered.

    Parameters
    ----------
    stages : Stages
    blocks : sequence of Block
        Which columns hold which variable.
    n_components : int or None
        Components of PCA; None lets the data say.
    random_state : int

    Examples
    --------
    >>> Z = np.random.default_rng(0).normal(size=(60, 4))
    >>> blocks = [Block(str(j), "numeric", j, j + 1) for j in range(4)]
    >>> Mapper(Stages(reduction="isomap"), blocks).fit_transform(Z).shape
    (60, 3)
    """

    def __init__(
        self,
        stages: Stages,
        blocks: Sequence[Block],
        *,
        n_components: int | None = None,
        random_state: int = 0,
    ) -> None:
        self.stages = stages
        self.blocks = blocks
        self.n_components = n_components
        self.random_state = random_state

    def fit_transform(self, X: Array, y: object = None) -> Array:
        """Learn both stages from ``X`` (rows x columns) and return its coordinates."""
        self.steps_: list[Any] = []
        coordinates = X
        if self.stages.autoencoder:
            latent = int(np.clip(X.shape[1] // 4, 2, 8))
            net = MixedAutoencoder(
                blocks=tuple(self.blocks), latent_dim=latent, random_state=self.random_state
            )
            coordinates = net.fit_transform(coordinates)
            self.steps_.append(net)
        reducer = self._reducer(coordinates)
        if reducer is not None:
            coordinates = np.asarray(reducer.fit_transform(coordinates), dtype=np.float64)
            self.steps_.append(reducer)
        if not np.isfinite(coordinates).all():
            raise EstimationError(
                f"{self.stages}: the coordinates of some customers are no numbers."
            )
        return coordinates

    def fit(self, X: Array, y: object = None) -> Mapper:
        """Learn both stages from ``X`` (rows x columns)."""
        self.fit_transform(X)
        return self

    def transform(self, X: Array) -> Array:
        """Return the coordinates of rows, with nothing learned anew."""
        for step in self.steps_:
            X = np.asarray(step.transform(X), dtype=np.float64)
        return X

    @property
    def components_(self) -> int | None:
        """How many components PCA kept; None without PCA."""
        last = self.steps_[-1] if self.steps_ else None
        return int(last.n_components_) if isinstance(last, PCA) else None

    def _reducer(self, X: Array) -> Any:
        name, seed = self.stages.reduction, self.random_state
        neighbors = int(np.clip(len(X) // 50, 10, 30))
        if name == "pca":
            own = None if self.stages.autoencoder else self.blocks
            count = self.n_components or _components(X, own or (), seed)
            return PCA(min(count, X.shape[1]), svd_solver="full", random_state=seed)
        if name == "isomap":
            return isomap(n_components=min(3, X.shape[1]), n_neighbors=neighbors)
        if name == "tsne":
            return TSNE(n_iter=300, random_state=seed)
        if name == "umap":
            return umap(n_neighbors=neighbors, random_state=seed)
        return None


def _components(X: Array, blocks: Sequence[Block], seed: int) -> int:
    """Return how many components exceed those of permuted variables (Horn 1965); 2 to 15."""
    if X.shape[1] < 3:
        return X.shape[1]
    rng = np.random.default_rng(seed)
    own = np.linalg.eigvalsh(np.cov(X.T))[::-1]
    whole = bool(blocks) and blocks[-1].stop == X.shape[1]
    starts = [(b.start, b.stop) for b in blocks] if whole else [(j, j + 1) for j in range(len(own))]
    draws = []
    for _ in range(3):
        # A nominal variable is permuted with all its columns, which belong together.
        mixed = np.hstack([X[rng.permutation(len(X)), a:b] for a, b in starts])
        draws.append(np.linalg.eigvalsh(np.cov(mixed.T))[::-1])
    above = own > 1.02 * np.max(draws, axis=0)
    count = len(above) if above.all() else int(np.argmin(above))
    return int(np.clip(count, 2, 15))


class Assigner:
    """The third stage, fitted: the segment of coordinates, also of new ones.

    Attributes
    ----------
    labels : int array
        Segments 0..k-1 of the fitted rows, largest first; -1 where HDBSCAN left a row out.
    """

    def __init__(self, model: Any, labels: Labels, order: Labels) -> None:
        self.model = model
        self.order = order
        self.labels = _renumber(labels, order)

    def predict(self, X: Array) -> Labels:
        """Return the segments (0..k-1, or -1) of rows of coordinates."""
        return _renumber(np.asarray(self.model.predict(X), dtype=np.int64), self.order)


def _renumber(labels: Labels, order: Labels) -> Labels:
    table = np.full(int(order.max(initial=-1)) + 2, -1, dtype=np.int64)
    table[order] = np.arange(len(order))
    return table[labels]


def cluster_rows(
    X: Array,
    ks: Sequence[int],
    clusterer: str,
    *,
    blocks: Sequence[Block] = (),
    random_state: int = 0,
) -> dict[int, Assigner]:
    """Return a fitted third stage for each number of segments; HDBSCAN gives the one it finds.

    Parameters
    ----------
    X : array of shape (n, d)
        Coordinates; for K-prototypes the preprocessed columns.
    ks : sequence of int
        Numbers of segments.
    clusterer : str
        One of `CLUSTERERS`.
    blocks : sequence of Block
        Needed by K-prototypes.
    random_state : int

    Examples
    --------
    >>> X = np.r_[np.zeros((5, 1)), np.ones((3, 1))]
    >>> cluster_rows(X, [2], "kmeans")[2].labels.tolist()
    [0, 0, 0, 0, 0, 1, 1, 1]
    """
    if clusterer == "hdbscan":
        smallest = int(max(5, 0.02 * len(X)))
        labels = HDBSCAN(min_cluster_size=smallest, copy=True).fit(X).labels_.astype(np.int64)
        found = int(labels.max()) + 1
        return {found: _by_neighbours(X, labels)} if found >= 2 else {}
    if clusterer == "spectral":
        every = spectral_labels(X, list(ks), n_neighbors=15)
        return {k: _by_neighbours(X, np.asarray(v)) for k, v in zip(ks, every)}
    out = {}
    for k in ks:
        if clusterer == "kmeans":
            model: Any = KMeans(k, n_init=5, random_state=random_state).fit(X)
        elif clusterer == "gaussian_mixture":
            shape = "full" if X.shape[1] <= 8 else "diag"
            model = GaussianMixture(
                k, covariance_type=shape, n_init=2, reg_covar=1e-3, random_state=random_state
            ).fit(X)
        else:
            model = _Prototypes(k, blocks, random_state).fit(X)
        labels = np.asarray(model.predict(X), dtype=np.int64)
        out[k] = Assigner(model, labels, _by_size(labels))
    return out


def _by_size(labels: Labels) -> Labels:
    """Return the labels that occur, the most frequent first."""
    found, counts = np.unique(labels[labels >= 0], return_counts=True)
    return np.asarray(found[np.argsort(-counts, kind="stable")], dtype=np.int64)


def _by_neighbours(X: Array, labels: Labels) -> Assigner:
    model = KNeighborsClassifier(min(15, len(X))).fit(X, labels)
    return Assigner(model, labels, _by_size(labels))


class _Prototypes:
    """K-prototypes over a preprocessed matrix: numbers as they are, nominal blocks as levels."""

    def __init__(self, k: int, blocks: Sequence[Block], seed: int) -> None:
        try:
            prototypes = import_module("kmodes.kprototypes").KPrototypes
        except ImportError as error:
            raise ConfigError(
                'clusterer="kprototypes" needs the package kmodes. '
                'Install it with: pip install "alphastrata[customers]".'
            ) from error
        self.blocks = tuple(blocks)
        self.model = prototypes(k, init="Cao", n_init=2, random_state=seed, max_iter=30)

    def _columns(self, X: Array) -> tuple[NDArray[np.object_], list[int]]:
        numbers = [b for b in self.blocks if b.kind != "nominal"]
        nominal = [b for b in self.blocks if b.kind == "nominal"]
        parts: list[Any] = [X[:, [b.start for b in numbers]].astype(object)]
        for b in nominal:
            own = X[:, b.start : b.stop]
            level = np.where((own != 0).any(axis=1), own.argmax(axis=1), -1)
            parts.append(level[:, None].astype(object))
        first = len(numbers)
        return np.hstack(parts), list(range(first, first + len(nominal)))

    def fit(self, X: Array) -> _Prototypes:
        columns, self.nominal = self._columns(X)
        if not self.nominal or len(self.nominal) == columns.shape[1]:
            raise ConfigError("K-prototypes needs both numbers and nominal columns.")
        self.model.fit(columns, categorical=self.nominal)
        return self

    def predict(self, X: Array) -> Labels:
        columns, nominal = self._columns(X)
        return np.asarray(self.model.predict(columns, categorical=nominal), dtype=np.int64)
