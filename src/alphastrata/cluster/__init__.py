"""Deep clustering of assets: transformers, maps, clusterers, windows, validity, explanations."""

from alphastrata.cluster.alignment import Aligned, Event, align
from alphastrata.cluster.autoencoder import Autoencoder
from alphastrata.cluster.embedding import TSNE, isomap, umap
from alphastrata.cluster.explain import (
    SurrogateTree,
    name_clusters,
    profiles,
    surrogate_tree,
)
from alphastrata.cluster.pipeline import deep_clusterer
from alphastrata.cluster.rolling import RollingClusters, RollingOptions, rolling
from alphastrata.cluster.spectral import SpectralClusterer, spectral_labels
from alphastrata.cluster.transforms import (
    CrossSectionalRank,
    MedianImputer,
    SignedLog,
    Winsorizer,
)
from alphastrata.cluster.validity import Scores, score_clusters, scores, trustworthiness

__all__ = [
    "TSNE",
    "Aligned",
    "Autoencoder",
    "CrossSectionalRank",
    "Event",
    "MedianImputer",
    "RollingClusters",
    "RollingOptions",
    "Scores",
    "SignedLog",
    "SpectralClusterer",
    "SurrogateTree",
    "Winsorizer",
    "align",
    "deep_clusterer",
    "isomap",
    "name_clusters",
    "profiles",
    "rolling",
    "score_clusters",
    "scores",
    "spectral_labels",
    "surrogate_tree",
    "trustworthiness",
    "umap",
]
