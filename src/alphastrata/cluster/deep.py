"""DEC and IDEC: networks that learn to cluster, as scikit-learn clusterers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
)
from sklearn.cluster import KMeans
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from alphastrata.cluster.autoencoder import Autoencoder, Layers, apply_layers
from alphastrata.cluster.bounds import (
    is_whole,
    require_network,
    require_number,
    require_whole,
)
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError

__all__ = ["DEC", "IDEC", "DeepClusterer"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


class DeepClusterer(
    ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin, BaseEstimator, ABC
):
    """What the three have in common: pretraining, prediction from soft memberships, checks."""

    encoder_: Layers

    def __init__(
        self,
        n_clusters: int = 6,
        *,
        hidden: tuple[int, ...] = (256, 128),
        latent_dim: int = 10,
        pretrain_epochs: int = 100,
        epochs: int = 100,
        learning_rate: float = 1e-3,
        batch_size: int = 256,
        tol: float = 1e-3,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.hidden = hidden
        self.latent_dim = latent_dim
        self.pretrain_epochs = pretrain_epochs
        self.epochs = epochs
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.tol = tol
        self.device = device
        self.random_state = random_state

    def _pretrained(self, values: Array, seed: int) -> Autoencoder:
        return Autoencoder(
            hidden=tuple(self.hidden),
            latent_dim=self.latent_dim,
            activation="relu",
            learning_rate=1e-3,
            batch_size=self.batch_size,
            epochs=self.pretrain_epochs,
            patience=0,
            noise=0.1,
            device=self.device,
            random_state=seed,
        ).fit(values)

    def _recipe(self, *, reconstruction: float, clustering: float) -> Any:
        from alphastrata.cluster.deep_training import Refinement

        return Refinement(
            activation="relu",
            learning_rate=self.learning_rate,
            batch_size=self.batch_size,
            epochs=self.epochs,
            tol=self.tol,
            reconstruction=reconstruction,
            clustering=clustering,
            device=self.device,
        )

    def _checked(self, X: ArrayLike) -> tuple[Array, int]:
        """Return the rows to fit and a seed, or raise for what is wrong with the settings."""
        values = np.asarray(validate_data(self, X, dtype=np.float64, ensure_min_samples=2))
        check = Violations(f"the settings of {type(self).__name__}")
        require_network(check, self)
        sizes = ("n_clusters", "latent_dim", "pretrain_epochs", "epochs", "batch_size")
        require_whole(check, self, 1, *sizes)
        require_number(check, self, "learning_rate", 0, strict=True)
        for name in ("tol", "gamma"):
            if hasattr(self, name):
                require_number(check, self, name, 0)
        check.require(
            not is_whole(self.n_clusters) or len(values) >= self.n_clusters,
            "There must be at least as many rows as clusters",
            first=f"n_samples={len(values)}, n_clusters={self.n_clusters}",
        )
        check.raise_if_any(ConfigError)
        return values, int(check_random_state(self.random_state).randint(2**31 - 1))

    def _latent(self, values: Array) -> Array:
        return apply_layers(values, self.encoder_, "relu")

    @abstractmethod
    def _memberships(self, latent: Array) -> Array:
        """Return memberships (rows x n_clusters) of latent coordinates (rows x latent_dim)."""

    @property
    def _n_features_out(self) -> int:
        return self.latent_dim

    def transform(self, X: ArrayLike) -> Array:
        """Return the latent coordinates (rows x latent_dim) of ``X`` (rows x columns)."""
        check_is_fitted(self, "encoder_")
        return self._latent(np.asarray(validate_data(self, X, reset=False, dtype=np.float64)))

    def predict_proba(self, X: ArrayLike) -> Array:
        """Return the memberships (rows x n_clusters), which sum to one in each row."""
        return self._memberships(self.transform(X))

    def predict(self, X: ArrayLike) -> Labels:
        """Return the cluster with the largest membership of each row of ``X``."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def _keep(self, refined: Any, values: Array) -> None:
        self.encoder_ = refined.encoder
        self.decoder_: Layers = refined.decoder
        self.log_ = pd.DataFrame(refined.log, columns=["epoch", "loss", "changed"])
        self.n_iter_ = len(refined.log)


class DEC(DeepClusterer):
    """Deep embedded clustering: an encoder refined until memberships are sharp.

    A denoising autoencoder is pretrained, K-means places the centres in its latent space, and
    encoder and centres then move together to sharpen Student-t memberships. Standardise the
    columns first; missing values are refused.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    hidden : tuple of int
        Widths of the hidden layers of the encoder.
    latent_dim : int
        Latent coordinates.
    pretrain_epochs : int
        Passes in pretraining.
    epochs : int
        Largest number of passes in refinement.
    learning_rate : float
        Step size in refinement.
    batch_size : int
        Rows per step.
    tol : float
        Stop when fewer than this share of rows change cluster in a pass.
    device : str
        "auto", "cpu" or "cuda".
    random_state : int, RandomState instance or None
        Seed.

    Attributes
    ----------
    labels_ : ndarray of int64, shape (n,)
        Clusters of the training rows.
    probabilities_ : ndarray of float64, shape (n, n_clusters)
        Their memberships.
    cluster_centers_ : ndarray of float64, shape (n_clusters, latent_dim)
        Centres in the latent space.
    encoder_, decoder_ : list of (weight, bias)
        Layers as float32 arrays.
    log_ : DataFrame, columns epoch, loss, changed
        One row per pass of refinement.

    References
    ----------
    Xie, J., Girshick, R. and Farhadi, A. (2016), "Unsupervised deep embedding for clustering
    analysis", ICML.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> model = DEC(2, hidden=(8,), latent_dim=2, pretrain_epochs=2, epochs=2, random_state=0)
    >>> model.fit(X).predict_proba(X[:1]).shape
    (1, 2)
    """

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster the rows of ``X`` (n x columns).

        Raises
        ------
        ConfigError
            If a setting is out of range, or there are fewer rows than clusters.
        EstimationError
            If the loss stops being a finite number; the epoch is named.
        """
        return self._fit(X, reconstruction=0.0, clustering=1.0)

    def _fit(self, X: ArrayLike, *, reconstruction: float, clustering: float) -> Self:
        from alphastrata.cluster.deep_training import refine_dec

        values, seed = self._checked(X)
        start = self._pretrained(values, seed)
        latent = start.transform(values)
        with threadpool_limits(limits=1):
            first = KMeans(self.n_clusters, n_init=20, random_state=seed).fit(latent)
        recipe = self._recipe(reconstruction=reconstruction, clustering=clustering)
        refined = refine_dec(
            values.astype(np.float32),
            start.encoder_,
            start.decoder_,
            first.cluster_centers_,
            recipe,
            seed=seed,
        )
        self._keep(refined, values)
        self.cluster_centers_: Array = refined.parameters["centers"]
        self.probabilities_: Array = self._memberships(self._latent(values))
        self.labels_: Labels = self.probabilities_.argmax(axis=1).astype(np.int64)
        return self

    def _memberships(self, latent: Array) -> Array:
        squared = ((latent[:, None, :] - self.cluster_centers_[None]) ** 2).sum(axis=2)
        q = 1.0 / (1.0 + squared)
        return np.asarray(q / q.sum(axis=1, keepdims=True))


class IDEC(DEC):
    """Improved deep embedded clustering: DEC that goes on restoring its input.

    The reconstruction keeps the latent space from being torn apart for the sake of sharp
    memberships.

    Parameters
    ----------
    n_clusters : int
        Number of clusters.
    gamma : float
        Weight of the clustering loss beside the mean squared error of the reconstruction.
    hidden, latent_dim, pretrain_epochs, epochs, learning_rate, batch_size, tol, device
        As in ``DEC``.
    random_state : int, RandomState instance or None
        Seed.

    Attributes
    ----------
    labels_, probabilities_, cluster_centers_, encoder_, decoder_, log_
        As in ``DEC``.

    References
    ----------
    Guo, X. et al. (2017), "Improved deep embedded clustering with local structure preservation",
    IJCAI.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> model = IDEC(2, hidden=(8,), latent_dim=2, pretrain_epochs=2, epochs=2, random_state=0)
    >>> model.fit(X).labels_.shape
    (60,)
    """

    def __init__(
        self,
        n_clusters: int = 6,
        *,
        gamma: float = 0.1,
        hidden: tuple[int, ...] = (256, 128),
        latent_dim: int = 10,
        pretrain_epochs: int = 100,
        epochs: int = 100,
        learning_rate: float = 1e-3,
        batch_size: int = 256,
        tol: float = 1e-3,
        device: str = "auto",
        random_state: Any = None,
    ) -> None:
        super().__init__(
            n_clusters,
            hidden=hidden,
            latent_dim=latent_dim,
            pretrain_epochs=pretrain_epochs,
            epochs=epochs,
            learning_rate=learning_rate,
            batch_size=batch_size,
            tol=tol,
            device=device,
            random_state=random_state,
        )
        self.gamma = gamma

    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Cluster the rows of ``X`` (n x columns).

        Raises
        ------
        ConfigError
            If a setting is out of range, or there are fewer rows than clusters.
        EstimationError
            If the loss stops being a finite number; the epoch is named.
        """
        return self._fit(X, reconstruction=1.0, clustering=self.gamma)
