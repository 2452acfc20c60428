"""Spectral clustering on a graph of nearest neighbours, with one eigendecomposition for all k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import qr, svd
from scipy.sparse import csr_matrix, diags_array, eye_array
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import eigsh
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import KMeans
from sklearn.utils.validation import check_is_fitted, validate_data

from alphastrata.cluster.neighbors import nearest_neighbors, squared_distances
from alphastrata.cluster.reading import read_features
from alphastrata.errors import ConfigError

__all__ = ["SpectralClusterer", "spectral_labels"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


def _graph(X: Array, n_neighbors: int) -> csr_matrix:
    """Return the connected, symmetric graph: weight 1 between mutual neighbours, 1/2 otherwise."""
    n = len(X)
    index, _ = nearest_neighbors(X, X, n_neighbors, exclude_self=True)
    rows = np.repeat(np.arange(n), n_neighbors)
    one_way = csr_matrix((np.full(index.size, 0.5), (rows, index.ravel())), shape=(n, n))
    graph = (one_way + one_way.T).tocsr()
    n_parts, part = connected_components(graph, directed=False)
    while n_parts > 1:
        graph = graph + _links(X, part, n_parts)
        n_parts, part = connected_components(graph, directed=False)
    return graph


def _links(X: Array, part: NDArray[np.int32], n_parts: int) -> csr_matrix:
    """Return one edge from every part but the largest to the row nearest to it outside.

    A graph in pieces has a multiple eigenvalue, of which an iterative solver finds but one vector.
    """
    edges = set()
    for c in np.delete(np.arange(n_parts), np.bincount(part).argmax()):
        inside, outside = np.flatnonzero(part == c), np.flatnonzero(part != c)
        squared = squared_distances(X[inside], np.ascontiguousarray(X[outside].T))
        i, j = divmod(int(squared.argmin()), len(outside))
        edges.add((int(inside[i]), int(outside[j])))
        edges.add((int(outside[j]), int(inside[i])))
    rows, columns = np.array(sorted(edges)).T
    return csr_matrix((np.full(len(rows), 0.5), (rows, columns)), shape=(len(X), len(X)))


def spectral_coordinates(X: Array, n_components: int, n_neighbors: int) -> Array:
    """Return the leading eigenvectors (n x n_components) of the normalised graph of ``X``."""
    n = len(X)
    graph = _graph(X, min(n_neighbors, n - 1))
    scale = 1.0 / np.sqrt(np.asarray(graph.sum(axis=1)).ravel())
    normalised = diags_array(scale) @ graph @ diags_array(scale)
    if n <= 200 or n_components >= n - 1:
        vectors = np.linalg.eigh(normalised.toarray())[1][:, ::-1][:, :n_components]
        return np.asarray(vectors * scale[:, None])
    laplacian = eye_array(n, format="csc") - normalised.tocsc()
    start = np.linspace(1.0, 2.0, n)
    _, vectors = eigsh(laplacian, k=n_components, sigma=-1e-4, which="LM", v0=start)
    return np.asarray(vectors * scale[:, None])


def _cluster_vectors(vectors: Array) -> Labels:
    """Return labels from k eigenvectors: pivoted QR for a start, then K-means steps."""
    k = vectors.shape[1]
    _, _, pivot = qr(vectors.T, pivoting=True)
    left, _, right = svd(vectors[pivot[:k]].T)
    assigned = np.abs(vectors @ (left @ right.conj())).argmax(axis=1)
    centres = np.array(
        [
            vectors[assigned == c].mean(axis=0) if (assigned == c).any() else vectors[pivot[c]]
            for c in range(k)
        ]
    )
    return KMeans(k, init=centres, n_init=1).fit(vectors).labels_.astype(np.int64)


def spectral_labels(
    X: ArrayLike, n_clusters: Sequence[int], *, n_neighbors: int = 10
) -> list[Labels]:
    """Return spectral labels (n,) of the rows of ``X`` for each number of clusters.

    Parameters
    ----------
    X : array of shape (n, d)
        Rows, finite.
    n_clusters : sequence of int
        Numbers of clusters, each at least 1 and at most n.
    n_neighbors : int
        Neighbours in the graph, at least 1.

    Raises
    ------
    ConfigError
        If a number is out of range.
    InputDataError
        If the rows are no finite matrix.

    Notes
    -----
    One eigendecomposition of the normalised graph serves all numbers of clusters. Deterministic.

    References
    ----------
    Ng, A., Jordan, M. and Weiss, Y. (2002), NIPS 14. Damle, A., Minden, V. and Ying, L. (2019),
    "Simple, direct and efficient multi-way spectral clustering", Information and Inference 8.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.r_[np.arange(20.0), np.arange(100.0, 120.0)][:, None]
    >>> [len(set(labels)) for labels in spectral_labels(X, [2, 3], n_neighbors=4)]
    [2, 3]
    """
    values = np.ascontiguousarray(read_features(X, "spectral_labels", missing=False))
    wanted = list(n_clusters)
    whole = all(isinstance(k, (int, np.integer)) for k in wanted)
    if not (wanted and whole and min(wanted) >= 1 and max(wanted) <= len(values)):
        raise ConfigError(
            f"n_clusters must be whole numbers from 1 to the {len(values)} rows, got {wanted}."
        )
    if not (isinstance(n_neighbors, (int, np.integer)) and n_neighbors >= 1):
        raise ConfigError(f"n_neighbors must be a whole number of at least 1, got {n_neighbors}.")
    if max(wanted) == 1 or len(values) == 1:
        return [np.zeros(len(values), dtype=np.int64) for _ in wanted]
    vectors = spectral_coordinates(values, max(wanted), n_neighbors)
    return [_cluster_vectors(np.ascontiguousarray(vectors[:, :k])) for k in wanted]


class SpectralClusterer(ClusterMixin, BaseEstimator):
    """Spectral clustering on nearest neighbours that can also assign new rows.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    n_neighbors : int
        Neighbours in the graph, and voters in ``predict``.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Labels of the training rows.

    Notes
    -----
    A new row gets the label that most of its nearest training rows have (the smallest among
    equals); a row that equals a training row gets that row's label, of several the first one's.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.r_[np.arange(20.0), np.arange(100.0, 120.0)][:, None]
    >>> model = SpectralClusterer(n_clusters=2).fit(X)
    >>> bool(model.predict([[3.5]])[0] == model.labels_[0])
    True
    """

    def __init__(self, n_clusters: int = 6, *, n_neighbors: int = 10) -> None:
        self.n_clusters = n_clusters
        self.n_neighbors = n_neighbors

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster the rows of ``X`` (n x d).

        Raises
        ------
        ConfigError
            If there are fewer rows than clusters, or a setting is below one.
        """
        values = np.asarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2))
        self.labels_ = spectral_labels(values, [self.n_clusters], n_neighbors=self.n_neighbors)[0]
        self.training_ = values
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Return the label (rows,) of each row of ``X`` by its nearest training rows."""
        check_is_fitted(self, "labels_")
        values = np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
        k = min(self.n_neighbors, len(self.training_))
        index, squared = nearest_neighbors(values, self.training_, k, exclude_self=False)
        votes: Any = self.labels_[index][:, :, None] == np.arange(self.labels_.max() + 1)
        winner = votes.sum(axis=1).argmax(axis=1)
        return np.where(squared[:, 0] == 0.0, self.labels_[index[:, 0]], winner).astype(np.int64)
