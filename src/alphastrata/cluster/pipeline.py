"""The paper's deep clustering, and its variants, as one scikit-learn Pipeline."""

from __future__ import annotations

from typing import Any, Literal

from sklearn.cluster import KMeans
from sklearn.mixture import GaussianMixture
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from alphastrata.cluster.autoencoder import Autoencoder
from alphastrata.cluster.deep import DEC, IDEC
from alphastrata.cluster.density import DensityClusterer
from alphastrata.cluster.embedding import TSNE, isomap, umap
from alphastrata.cluster.spectral import SpectralClusterer
from alphastrata.cluster.transforms import MedianImputer, SignedLog
from alphastrata.cluster.vade import VaDE
from alphastrata.core.checks import Violations
from alphastrata.errors import ConfigError

__all__ = ["deep_clusterer"]

EMBEDDINGS = ("tsne", "isomap", "umap", None)
NETWORKS = {"dec": DEC, "idec": IDEC, "vade": VaDE}
CLUSTERERS = ("kmeans", "spectral", "gaussian_mixture", "hdbscan", *NETWORKS)

Clusterer = Literal["kmeans", "spectral", "gaussian_mixture", "hdbscan", "dec", "idec", "vade"]


def deep_clusterer(
    *,
    n_clusters: int = 6,
    latent_dim: int = 8,
    embedding: Literal["tsne", "isomap", "umap"] | None = "tsne",
    embedding_dim: int | None = None,
    clusterer: Clusterer = "kmeans",
    autoencoder: bool = True,
    schedule: Literal["usual", "short"] = "usual",
    missing: Literal["median", "refuse"] = "median",
    random_state: int | None = 0,
) -> Pipeline:
    """Return the pipeline impute -> signed log -> scale -> autoencoder -> embedding -> cluster.

    Every step is a scikit-learn estimator under the name "impute", "signed_log", "scale",
    "autoencoder", "embedding" or "cluster", so that ``set_params(embedding__perplexity=50)``,
    ``clone`` and scikit-learn's searchers work.

    Parameters
    ----------
    n_clusters : int
        Number of clusters. HDBSCAN finds its own number and leaves noise unclassified.
    latent_dim : int
        Latent coordinates of the autoencoder.
    embedding : {"tsne", "isomap", "umap"} or None
        The map between autoencoder and clusterer: t-SNE, Isomap, UMAP (which needs umap-learn), or
        none.
    embedding_dim : {2, 3} or None
        Dimensions of the map; None is two for t-SNE and UMAP, and three for Isomap.
    clusterer : {"kmeans", "spectral", "gaussian_mixture", "hdbscan", "dec", "idec", "vade"}
        The last step. DEC, IDEC and VaDE learn ``latent_dim`` coordinates and the clusters at
        once, and stand without autoencoder and map: ``autoencoder=False, embedding=None``.
    autoencoder : bool
        Whether there is an autoencoder.
    schedule : {"usual", "short"}
        Steps of t-SNE: 250 exaggerated and 500 plain ones, or 50 and 300.
    missing : {"median", "refuse"}
        What happens to missing values: the training median of the column, counted, or an error.
    random_state : int or None
        Seed of every step that draws.

    Returns
    -------
    sklearn.pipeline.Pipeline

    Raises
    ------
    ConfigError
        If a setting is unknown or out of range; all of them are named together.

    References
    ----------
    McConville, R. et al. (2021), "N2D: (not too) deep clustering via clustering the local
    manifold of an autoencoded embedding", ICPR, for autoencoder, UMAP and Gaussian mixture.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(80, 4))
    >>> model = deep_clusterer(n_clusters=3, latent_dim=2).set_params(autoencoder__epochs=2)
    >>> sorted(set(model.fit_predict(X).tolist()))
    [0, 1, 2]
    """
    check = Violations("deep_clusterer")
    for name, value, allowed in (
        ("embedding", embedding, EMBEDDINGS),
        ("clusterer", clusterer, CLUSTERERS),
        ("schedule", schedule, ("usual", "short")),
        ("missing", missing, ("median", "refuse")),
    ):
        check.require(value in allowed, f"{name} must be one of {allowed}", first=repr(value))
    for name, number in (("n_clusters", n_clusters), ("latent_dim", latent_dim)):
        ok = isinstance(number, int) and number >= 1
        check.require(ok, f"{name} must be a whole number of at least 1", first=repr(number))
    check.require(
        embedding_dim is None or (embedding is not None and embedding_dim in (2, 3)),
        "embedding_dim must be 2 or 3, and needs an embedding",
        first=repr(embedding_dim),
    )
    check.require(
        clusterer not in NETWORKS or (not autoencoder and embedding is None),
        "DEC, IDEC and VaDE learn their own latent space: say autoencoder=False, embedding=None",
        first=f"autoencoder={autoencoder!r}, embedding={embedding!r}",
    )
    check.raise_if_any(ConfigError)

    steps: list[tuple[str, Any]] = [
        ("impute", MedianImputer(policy=missing)),
        ("signed_log", SignedLog()),
        ("scale", StandardScaler()),
    ]
    if autoencoder:
        steps.append(("autoencoder", Autoencoder(latent_dim=latent_dim, random_state=random_state)))
    if embedding is not None:
        steps.append(("embedding", _embedding(embedding, embedding_dim, schedule, random_state)))
    if clusterer in NETWORKS:
        network = NETWORKS[clusterer]
        steps.append(
            ("cluster", network(n_clusters, latent_dim=latent_dim, random_state=random_state))
        )
    else:
        steps.append(("cluster", _clusterer(clusterer, n_clusters, random_state)))
    return Pipeline(steps)


def _embedding(name: str, dims: int | None, schedule: str, random_state: int | None) -> Any:
    if name == "isomap":
        return isomap(n_components=dims or 3)
    if name == "umap":
        return umap(n_components=dims or 2, random_state=random_state)
    early_iter, n_iter = (250, 500) if schedule == "usual" else (50, 300)
    return TSNE(
        n_components=dims or 2, early_iter=early_iter, n_iter=n_iter, random_state=random_state
    )


def _clusterer(name: str, n_clusters: int, random_state: int | None) -> Any:
    if name == "kmeans":
        return KMeans(n_clusters, n_init=10, random_state=random_state)
    if name == "spectral":
        return SpectralClusterer(n_clusters)
    if name == "gaussian_mixture":
        return GaussianMixture(n_clusters, n_init=5, random_state=random_state)
    return DensityClusterer()
