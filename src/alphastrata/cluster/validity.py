"""How well clusters are separated, and how faithfully a map keeps neighbours.

One pass over the pairs of rows serves the silhouettes of any number of labelings, in memory that
grows with the rows and not with their square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from alphastrata.cluster.reading import read_features, read_labels
from alphastrata.core.shown import Shown
from alphastrata.errors import InputDataError

__all__ = ["Scores", "score_clusters", "scores", "trustworthiness"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Scores(Shown):
    """Internal validity of one labeling in one space.

    Attributes
    ----------
    silhouette : float
        Mean silhouette, in [-1, 1], larger is better. Rousseeuw (1987).
    davies_bouldin : float
        Mean over clusters of the worst ratio of scatter to separation, smaller is better. Davies
        and Bouldin (1979).
    calinski_harabasz : float
        Between over within dispersion, each over its degrees of freedom, larger is better.
        Calinski and Harabasz (1974).
    n_clusters : int
        Clusters among the classified rows.
    """

    silhouette: float
    davies_bouldin: float
    calinski_harabasz: float
    n_clusters: int


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "nsz", "contract"})
def _distance_sums(columns: Array, member: NDArray[np.float32]) -> Array:
    """Return the sum of distances (n x groups) of each row to the rows of each group."""
    d, n = columns.shape
    groups = member.shape[0]
    out = np.empty((n, groups))
    distance = np.empty(n)
    for i in range(n):
        for j in range(n):
            distance[j] = 0.0
        for k in range(d):
            a = columns[k, i]
            column = columns[k]
            for j in range(n):
                difference = a - column[j]
                distance[j] += difference * difference
        for j in range(n):
            distance[j] = np.sqrt(distance[j])
        for g in range(groups):
            total = 0.0
            row = member[g]
            for j in range(n):
                total += distance[j] * row[j]
            out[i, g] = total
    return out


def _silhouette(sums: Array, codes: Labels, counts: Labels) -> float:
    """Return the mean silhouette from the sums of distances (n x clusters) to each cluster."""
    rows = np.arange(len(codes))
    own = counts[codes]
    inside = sums[rows, codes] / np.maximum(own - 1, 1)
    outside = sums / counts
    outside[rows, codes] = np.inf
    nearest = outside.min(axis=1)
    largest = np.maximum(inside, nearest)
    value = np.zeros(len(codes))
    np.divide(nearest - inside, largest, out=value, where=(largest > 0) & (own > 1))
    return float(value.mean())


def _moments(X: Array, codes: Labels, n_clusters: int) -> tuple[Array, Array]:
    """Return cluster means (clusters x d) and the deviations (n x d) of rows from theirs."""
    means = np.empty((n_clusters, X.shape[1]))
    for c in range(n_clusters):
        means[c] = X[codes == c].mean(axis=0)
    return means, X - means[codes]


def _davies_bouldin(means: Array, deviations: Array, codes: Labels, counts: Labels) -> float:
    scatter = np.bincount(codes, np.sqrt((deviations**2).sum(axis=1))) / counts
    apart = np.sqrt(((means[:, None, :] - means[None, :, :]) ** 2).sum(axis=2))
    if np.allclose(scatter, 0) or np.allclose(apart, 0):
        return 0.0
    apart[apart == 0.0] = np.inf
    ratio = (scatter[:, None] + scatter[None, :]) / apart
    np.fill_diagonal(ratio, -np.inf)
    return float(ratio.max(axis=1).mean())


def _calinski_harabasz(X: Array, means: Array, deviations: Array, counts: Labels) -> float:
    within = float((deviations**2).sum())
    between = float((counts[:, None] * (means - X.mean(axis=0)) ** 2).sum())
    k, n = len(counts), len(X)
    return 1.0 if within == 0.0 else between / within * (n - k) / (k - 1.0)


def scores(X: ArrayLike, labelings: Sequence[ArrayLike]) -> list[Scores]:
    """Return the scores of several labelings of the same rows, from one pass over their pairs.

    Parameters
    ----------
    X : array of shape (n, d)
        Coordinates of the rows.
    labelings : sequence of int arrays of shape (n,)
        Labels; a negative label means that the row is not classified, and leaves it out of that
        labeling's scores. Which labels there are does not matter.

    Returns
    -------
    list of Scores
        All values missing where fewer than two clusters, or no more rows than clusters, are left.

    Raises
    ------
    InputDataError
        If a labeling has another number of rows than ``X`` or is not of whole numbers, or ``X``
        is no finite matrix.

    Notes
    -----
    Agrees with scikit-learn's ``silhouette_score``, ``davies_bouldin_score`` and
    ``calinski_harabasz_score`` to rounding. The rows are taken in chunks of one, so that 20,000
    rows need some megabytes.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> round(scores(X, [[0, 0, 1, 1]])[0].silhouette, 3)
    0.9
    """
    values = np.ascontiguousarray(read_features(X, "scores", missing=False))
    prepared = [_prepare(labels, len(values)) for labels in labelings]
    member = [
        (codes == c).astype(np.float32)
        for codes, counts in prepared
        if len(counts) > 1
        for c in range(len(counts))
    ]
    sums = (
        _distance_sums(np.ascontiguousarray(values.T), np.array(member))
        if member
        else np.empty((len(values), 0))
    )
    out, start = [], 0
    for codes, counts in prepared:
        width = len(counts) if len(counts) > 1 else 0
        out.append(_one(values, codes, counts, sums[:, start : start + width]))
        start += width
    return out


def _prepare(labels: ArrayLike, n: int) -> tuple[Labels, Labels]:
    """Return codes 0..k-1 (-1 = not classified) and the size of each cluster."""
    given = read_labels(labels, n, "scores")
    classified = given >= 0
    codes = np.full(n, -1, dtype=np.int64)
    _, inverse, counts = np.unique(given[classified], return_inverse=True, return_counts=True)
    codes[classified] = inverse
    return codes, counts.astype(np.int64)


def _one(X: Array, codes: Labels, counts: Labels, sums: Array) -> Scores:
    kept = codes >= 0
    k = len(counts)
    if not 2 <= k < int(kept.sum()):
        return Scores(np.nan, np.nan, np.nan, k)
    rows, own = X[kept], codes[kept]
    means, deviations = _moments(rows, own, k)
    return Scores(
        _silhouette(sums[kept], own, counts),
        _davies_bouldin(means, deviations, own, counts),
        _calinski_harabasz(rows, means, deviations, counts),
        k,
    )


def score_clusters(X: ArrayLike, labels: ArrayLike) -> Scores:
    """Return the scores of one labeling (n,) of the rows of ``X`` (n x d); see ``scores``.

    Examples
    --------
    >>> score_clusters([[0.0], [1.0], [10.0], [11.0]], [0, 0, 1, 1]).n_clusters
    2
    """
    return scores(X, [labels])[0]


@njit(cache=True, nogil=True, error_model="numpy")
def _rank_penalty(columns: Array, places: Array, k: int) -> float:
    """Return the sum of max(0, r(i, j) - k) over the k map neighbours j of i, r ranked in the data.

    ``columns`` is the data transposed (d x n), ``places`` the map transposed (m x n).
    """
    d, n = columns.shape
    distance = np.empty(n)
    near = np.empty(k, dtype=np.int64)
    gap = np.empty(k)
    penalty = 0.0
    for i in range(n):
        distance[:] = 0.0
        for c in range(len(places)):
            a = places[c, i]
            column = places[c]
            for j in range(n):
                difference = a - column[j]
                distance[j] += difference * difference
        distance[i] = np.inf
        gap[:] = np.inf
        near[:] = -1
        for j in range(n):
            if distance[j] < gap[k - 1]:
                # Insert into the sorted list of the k nearest so far.
                e = k - 1
                while e > 0 and gap[e - 1] > distance[j]:
                    gap[e] = gap[e - 1]
                    near[e] = near[e - 1]
                    e -= 1
                gap[e] = distance[j]
                near[e] = j
        distance[:] = 0.0
        for c in range(d):
            a = columns[c, i]
            column = columns[c]
            for j in range(n):
                difference = a - column[j]
                distance[j] += difference * difference
        distance[i] = np.inf
        for e in range(k):
            limit = distance[near[e]]
            rank = 1
            for j in range(n):
                rank += distance[j] < limit
            penalty += max(0, rank - k)
    return penalty


def trustworthiness(X: ArrayLike, embedding: ArrayLike, *, n_neighbors: int = 5) -> float:
    """Return how far neighbours on the map are neighbours in the data, in [0, 1].

    Parameters
    ----------
    X : array of shape (n, d)
        The data.
    embedding : array of shape (n, m)
        The map of the same rows.
    n_neighbors : int
        Size of the neighbourhoods, less than n / 2.

    Raises
    ------
    InputDataError
        If the rows differ in number or are too few, or a value is not finite.

    References
    ----------
    Venna, J. and Kaski, S. (2001), "Neighborhood preservation in nonlinear projection methods".

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(50, 2))
    >>> trustworthiness(X, 3 * X)
    1.0
    """
    data, places = (
        np.ascontiguousarray(read_features(space, "trustworthiness", missing=False))
        for space in (X, embedding)
    )
    n, k = len(data), n_neighbors
    if len(places) != n or not 1 <= k < n / 2:
        raise InputDataError(
            f"Trustworthiness needs as many rows in both spaces and n_neighbors below half of "
            f"them; got {n} and {len(places)} rows and n_neighbors={k}."
        )
    penalty = _rank_penalty(np.ascontiguousarray(data.T), np.ascontiguousarray(places.T), k)
    return float(1.0 - penalty * 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)))
