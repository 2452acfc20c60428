"""VaDE: a variational autoencoder whose prior is a mixture, as a scikit-learn clusterer."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from alphastrata.cluster.autoencoder import Layers, apply_layers
from alphastrata.cluster.deep import DeepClusterer

__all__ = ["VaDE"]

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


class VaDE(DeepClusterer):
    """Variational deep embedding: a variational autoencoder with a Gaussian mixture as its prior.

    A denoising autoencoder is pretrained, a diagonal Gaussian mixture fitted to its latent
    coordinates, and both then maximise the evidence lower bound together.

    Parameters
    ----------
    n_clusters, hidden, latent_dim, pretrain_epochs, epochs, learning_rate, batch_size, tol, device
        As in ``DEC``.
    random_state : int, RandomState instance or None
        Seed.

    Attributes
    ----------
    labels_, probabilities_, encoder_, decoder_, log_
        As in ``DEC``; the encoder's last layer gives mean and log variance side by side.
    weights_, means_, variances_ : ndarray of float64
        The mixture: (n_clusters,), (n_clusters, latent_dim), (n_clusters, latent_dim).

    References
    ----------
    Jiang, Z. et al. (2017), "Variational deep embedding: an unsupervised and generative approach
    to clustering", IJCAI.

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(60, 4))
    >>> model = VaDE(2, hidden=(8,), latent_dim=2, pretrain_epochs=2, epochs=2, random_state=0)
    >>> model.fit(X).transform(X).shape
    (60, 2)
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
        from alphastrata.cluster.deep_training import refine_vade

        values, seed = self._checked(X)
        start = self._pretrained(values, seed)
        latent = start.transform(values)
        with threadpool_limits(limits=1):
            mixture = GaussianMixture(
                self.n_clusters, covariance_type="diag", n_init=5, reg_covar=1e-4, random_state=seed
            ).fit(latent)
        prior = {
            "weights": np.maximum(mixture.weights_, 1e-6),
            "means": mixture.means_,
            "variances": mixture.covariances_,
        }
        spread = float(np.median(mixture.covariances_))
        refined = refine_vade(
            values.astype(np.float32),
            _with_variance(start.encoder_, 0.1 * spread),
            start.decoder_,
            prior,
            self._recipe(reconstruction=1.0, clustering=1.0),
            seed=seed,
        )
        self._keep(refined, values)
        self.weights_: Array = refined.parameters["weights"]
        self.means_: Array = refined.parameters["means"]
        self.variances_: Array = refined.parameters["variances"]
        self.probabilities_: Array = self._memberships(self._latent(values))
        self.labels_: Labels = self.probabilities_.argmax(axis=1).astype(np.int64)
        return self

    def _latent(self, values: Array) -> Array:
        return apply_layers(values, self.encoder_, "relu")[:, : self.latent_dim]

    def _memberships(self, latent: Array) -> Array:
        gap = (latent[:, None, :] - self.means_[None]) ** 2 / self.variances_
        log_joint = np.log(self.weights_) - 0.5 * (gap + np.log(self.variances_)).sum(axis=2)
        return np.asarray(np.exp(log_joint - logsumexp(log_joint, axis=1, keepdims=True)))


def _with_variance(encoder: Layers, variance: float) -> Layers:
    """Return the encoder with columns for the log variance beside the latent means."""
    weight, bias = encoder[-1]
    wide = np.hstack([weight, np.zeros_like(weight)])
    level = np.full_like(bias, np.log(max(variance, 1e-8)))
    return [*encoder[:-1], (wide, np.concatenate([bias, level]))]
