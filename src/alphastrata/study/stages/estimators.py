"""From the settings of a clustering to the scikit-learn estimator that they describe."""

from __future__ import annotations

from typing import Any

from sklearn.pipeline import Pipeline

from alphastrata import cluster
from alphastrata.study.settings.clusters import EstimatorConfig

__all__ = ["described_clusters", "described_map", "estimator_of"]

N_CLUSTERS = 6
METHODS = {"dec": "DEC", "idec": "IDEC", "vade": "VaDE"}


def estimator_of(config: EstimatorConfig, n_features: int, seed: int) -> Pipeline:
    """Return the pipeline that the settings describe.

    Parameters
    ----------
    config
        The settings.
    n_features
        Columns: where no latent dimension is said, it is 4 for up to 8 of them, and 8 for more.
    seed
        Seed of every step that draws.

    Examples
    --------
    >>> model = estimator_of(EstimatorConfig(method="dec", n_clusters=3), 5, seed=0)
    >>> [type(step).__name__ for _, step in model.steps][-1], model["cluster"].latent_dim
    ('DEC', 4)
    """
    deep = config.method != "pipeline"
    clusterer: Any = "gaussian_mixture" if config.clusterer == "gmm" else config.clusterer
    if deep:
        clusterer = config.method
    embedding: Any = None if deep else config.embedding or "tsne"
    model = cluster.deep_clusterer(
        n_clusters=config.n_clusters or N_CLUSTERS,
        latent_dim=config.latent_dim or (4 if n_features <= 8 else 8),
        embedding=None if embedding == "none" else embedding,
        embedding_dim=config.embedding_dim,
        clusterer=clusterer or "kmeans",
        autoencoder=not deep and config.autoencoder is not False,
        schedule=config.schedule or "usual",
        random_state=seed,
    )
    network = "cluster" if deep else "autoencoder"
    said = {f"{network}__{key}": value for key, value in config.network.said.items()}
    for key, name in (
        ("perplexity", "embedding__perplexity"),
        ("neighbors", "embedding__n_neighbors"),
        ("min_cluster_size", "cluster__min_cluster_size"),
    ):
        if getattr(config, key) is not None:
            said[name] = getattr(config, key)
    return model.set_params(**said)


def described_map(config: EstimatorConfig) -> str:
    """Return, in a sentence, what the map of a clustering shows.

    Examples
    --------
    >>> described_map(EstimatorConfig(method="vade"))
    'VaDE has no map: drawn are the first two principal coordinates of its latent space.'
    """
    if config.method != "pipeline":
        return (
            f"{METHODS[config.method]} has no map: drawn are the first two principal coordinates "
            "of its latent space."
        )
    source = "the scaled features" if config.autoencoder is False else "the latent coordinates"
    if config.embedding == "none":
        return f"There is no map: drawn are the first two principal coordinates of {source}."
    name = {"isomap": "Isomap", "umap": "UMAP"}.get(config.embedding or "", "t-SNE")
    dims = config.embedding_dim or (3 if name == "Isomap" else 2)
    return f"{name} of {source} in {dims} dimensions."


def described_clusters(config: EstimatorConfig) -> str:
    """Return, in a sentence, how the clusters are found.

    Examples
    --------
    >>> described_clusters(EstimatorConfig(clusterer="gmm", n_clusters=4))
    '4 clusters by a Gaussian mixture.'
    """
    if config.clusterer == "hdbscan":
        return "HDBSCAN finds its own number of clusters; what it calls noise stays unclassified."
    name = {"spectral": "spectral clustering", "gmm": "a Gaussian mixture"}.get(
        config.clusterer or "", "K-means"
    )
    if config.method != "pipeline":
        name = METHODS[config.method]
    return f"{config.n_clusters or N_CLUSTERS} clusters by {name}."
