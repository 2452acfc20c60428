"""HDBSCAN that can also assign new rows, or leave them unclassified."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.cluster import HDBSCAN
from sklearn.utils.validation import check_is_fitted, validate_data

from alphastrata.cluster.bounds import require_whole
from alphastrata.cluster.neighbors import nearest_neighbors
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError

__all__ = ["DensityClusterer"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


class DensityClusterer(ClusterMixin, BaseEstimator):
    """scikit-learn's HDBSCAN with a ``predict`` for rows that were not in training.

    A new row gets the label of its nearest training row, unless it is farther from it than any
    member of that cluster is from its own nearest neighbour: then it is noise, -1, as it is
    where the nearest training row is noise.

    Parameters
    ----------
    min_cluster_size : int
        Smallest cluster, at least 2.
    min_samples : int or None
        Neighbours that make a core; ``min_cluster_size`` when None.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Clusters of the training rows; -1 is noise.
    reach_ : ndarray of float64, shape (clusters,)
        Largest distance of a member to its nearest neighbour, by cluster.

    References
    ----------
    Campello, R., Moulavi, D. and Sander, J. (2013), "Density-based clustering based on
    hierarchical density estimates", PAKDD.

    Examples
    --------
    >>> X = np.r_[np.arange(20.0), np.arange(100.0, 120.0)][:, None]
    >>> model = DensityClusterer(min_cluster_size=5).fit(X)
    >>> bool(model.predict([[3.5]])[0] == model.labels_[0]), int(model.predict([[60.0]])[0])
    (True, -1)
    """

    def __init__(self, *, min_cluster_size: int = 15, min_samples: int | None = None) -> None:
        self.min_cluster_size = min_cluster_size
        self.min_samples = min_samples

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster the rows of ``X`` (n x d).

        Raises
        ------
        ConfigError
            If a setting is out of range.
        """
        values = np.asarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2))
        check = Violations("the settings of DensityClusterer")
        require_whole(check, self, 2, "min_cluster_size")
        if self.min_samples is not None:
            require_whole(check, self, 1, "min_samples")
        check.raise_if_any(ConfigError)
        # A cluster cannot be larger than the sample, nor have more neighbours than it has rows.
        samples: Any = self.min_samples
        inner = HDBSCAN(
            min_cluster_size=min(self.min_cluster_size, len(values)),
            min_samples=samples if samples is None else min(samples, len(values)),
            copy=True,
        )
        self.labels_: Labels = np.asarray(inner.fit(values).labels_, dtype=np.int64)
        _, squared = nearest_neighbors(values, values, 1, exclude_self=True)
        self.reach_: Array = np.array(
            [
                np.sqrt(squared[self.labels_ == c, 0].max())
                for c in range(int(self.labels_.max()) + 1)
            ]
        )
        self.training_: Array = values
        return self

    def predict(self, X: ArrayLike) -> Labels:
        """Return the cluster (rows,) of each row of ``X``; -1 is noise."""
        check_is_fitted(self, "labels_")
        values = np.asarray(validate_data(self, X, reset=False, dtype=np.float64))
        index, squared = nearest_neighbors(values, self.training_, 1, exclude_self=False)
        label = self.labels_[index[:, 0]]
        reach = np.append(self.reach_, 0.0)[label]
        near = np.sqrt(squared[:, 0]) <= reach
        return np.where(near | (squared[:, 0] == 0.0), label, -1).astype(np.int64)
